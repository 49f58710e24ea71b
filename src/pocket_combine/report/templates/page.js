
"use strict";
// The page is whole without this program; it adds sorting, filtering, panels and buttons. No text of the report ever
// becomes HTML or code here: nodes are made, moved and given text, never parsed.
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const make = (tag, properties, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  root.classList.add("js");

  // Tables: a click on a head sorts up, the second down, the third gives the first order back.

  function cellKey(row, index, numeric) {
    const cell = row.cells[index];
    return numeric ? Number(cell.dataset.value ?? NaN) : cell.textContent.trim();
  }

  function compareKeys(one, other, direction) {
    if (typeof one === "string") {
      if (!one || !other) return !one - !other; // the empty last, either way
      return direction * collator.compare(one, other);
    }
    if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other); // also without a number
    return direction * (one < other ? -1 : Number(one > other));
  }

  function sortTable(table, rows, index, direction) {
    const numeric = rows.some((row) => row.cells[index].dataset.value !== undefined);
    const keyed = rows.map((row) => ({ row, key: cellKey(row, index, numeric) }));
    if (direction) keyed.sort((one, other) => compareKeys(one.key, other.key, direction));
    table.tBodies[0].append(...keyed.map(({ row }) => row));
  }

  function makeSortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows];
    const states = ["none", "ascending", "descending"];
    heads.forEach((head, index) => {
      const button = make("button", { type: "button", className: "sort" });
      button.append(make("span", {}, ...head.childNodes));
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const state = (states.indexOf(head.getAttribute("aria-sort")) + 1) % 3;
        heads.forEach((other) => other.setAttribute("aria-sort", other === head ? states[state] : "none"));
        sortTable(table, rows, index, [0, 1, -1][state]);
        table.closest(".scroll").scrollTop = 0;
      });
    });
  }

  // Filters: a row stays that has all words, upper or lower case.

  function makeFilter(filter) {
    const input = filter.querySelector("input");
    const output = filter.querySelector("output");
    const rows = [...filter.parentElement.querySelector("tbody").rows];
    const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join("\n").toLowerCase());
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let kept = 0;
      rows.forEach((row, index) => {
        row.hidden = !words.every((word) => texts[index].includes(word));
        kept += !row.hidden;
      });
      output.textContent = words.length ? `${kept} of ${rows.length} rows` : `${rows.length} rows`;
      filter.classList.toggle("used", words.length > 0);
    };
    input.addEventListener("input", apply);
    if (input.value) apply(); // what a browser kept from before a reload
  }

  // Details: rows open them in a panel; the address after the # says which is open.

  const panel = byId("page/dialog");
  const panelBody = panel.querySelector(".body");
  const shown = { article: null, home: null, link: null };

  const linksOf = (table) => [...table.querySelectorAll("tbody tr:not([hidden]) a[href^='#detail/']")];
  const targetOf = (link) => link.getAttribute("href").slice(1);

  function wantedArticle() {
    let id = location.hash.slice(1);
    try {
      id = decodeURIComponent(id);
    } catch {
      return null; // a % that encodes nothing
    }
    const found = id.startsWith("detail/") ? byId(id) : null;
    return found?.classList.contains("detail") ? found : null;
  }

  function putBack() {
    if (!shown.article) return;
    shown.home.replaceWith(shown.article);
    shown.article = null;
  }

  function show(article) {
    if (shown.article === article) return;
    putBack();
    shown.article = article;
    shown.home = document.createComment("");
    article.replaceWith(shown.home);
    panelBody.replaceChildren(article);
    prepare(article);
    if (!shown.link || targetOf(shown.link) !== article.id) {
      const links = [...document.querySelectorAll("main tbody a[href^='#detail/']")];
      shown.link = links.find((link) => targetOf(link) === article.id) ?? null;
    }
    panel.setAttribute("aria-labelledby", `head/${article.id}`);
    showPlace();
    if (!panel.open) panel.showModal();
    panelBody.scrollTop = 0;
    panelBody.focus();
  }

  function showPlace() {
    const links = shown.link ? linksOf(shown.link.closest("table")) : [];
    const index = links.indexOf(shown.link);
    panel.querySelector("[data-do='previous']").disabled = index <= 0;
    panel.querySelector("[data-do='next']").disabled = index < 0 || index === links.length - 1;
    panel.querySelector(".place").textContent = index < 0 ? "" : `${index + 1} of ${links.length}`;
  }

  function step(by) {
    const links = shown.link ? linksOf(shown.link.closest("table")) : [];
    const link = links[links.indexOf(shown.link) + by];
    if (!link) return;
    shown.link = link;
    history.replaceState(null, "", link.getAttribute("href"));
    followAddress();
  }

  function followAddress() {
    const article = wantedArticle();
    if (article) show(article);
    else if (panel.open) panel.close();
  }

  function afterClose() {
    const link = shown.link;
    putBack();
    if (location.hash.startsWith("#detail/")) history.replaceState(null, "", location.pathname + location.search);
    link?.focus();
    shown.link = null;
  }

  function makeRows() {
    document.querySelectorAll("tbody a[href^='#detail/']").forEach((link) => {
      const row = link.closest("tr");
      row.classList.add("opens");
      row.addEventListener("click", (event) => {
        if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection())) return;
        event.preventDefault();
        shown.link = link;
        if (location.hash === link.getAttribute("href")) followAddress();
        else location.hash = targetOf(link);
      });
    });
  }

  // Figures: a click shows them as large as the window, a second one at their own size.

  const enlarged = byId("page/enlarged");
  const enlargedBody = enlarged.querySelector(".body");

  function setScale(actual) {
    enlargedBody.classList.toggle("actual", actual);
    enlarged.querySelector("[data-do='scale']").textContent = actual ? "Fit to the window" : "Actual size";
  }

  function makeEnlargeable(image) {
    const button = make("button", { type: "button", className: "enlarge", title: "Enlarge" });
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => {
      enlargedBody.replaceChildren(make("img", { src: image.src, alt: image.alt }));
      setScale(false);
      enlarged.showModal();
    });
  }

  // Commands: a button that copies.

  async function copy(text, node) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection().selectAllChildren(node); // at least a key press away
      return document.execCommand("copy");
    }
  }

  function makeCopyable(box) {
    const code = box.querySelector("code");
    const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      button.textContent = (await copy(code.textContent, code)) ? "Copied" : "Selected";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    box.classList.add("copyable");
    box.append(button);
  }

  /** Add what a part of the page can do; a detail gets it when it is first opened. */
  function prepare(part) {
    if (part.dataset.prepared) return;
    part.dataset.prepared = "yes";
    part.querySelectorAll("table.sortable").forEach(makeSortable);
    part.querySelectorAll(".filter").forEach(makeFilter);
    part.querySelectorAll(".frame > img").forEach(makeEnlargeable);
    part.querySelectorAll("pre.code").forEach(makeCopyable);
    part.querySelectorAll(".scroll").forEach((box) => {
      if (box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    });
  }

  function markCurrentSection() {
    const contents = document.querySelector(".contents");
    const links = new Map([...contents.querySelectorAll("a")].map((link) => [targetOf(link), link]));
    const visible = new Set();
    const observer = new IntersectionObserver(
      (entries) => {
        entries.forEach((entry) => visible[entry.isIntersecting ? "add" : "delete"](entry.target.id));
        const current = [...links.keys()].find((id) => visible.has(id));
        links.forEach((link, id) => {
          if (id === current) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        });
        if (current) contents.scrollTo({ left: links.get(current).offsetLeft - 16 }); // where it is a strip, on a phone
      },
      { rootMargin: "-20% 0px -60% 0px" },
    );
    links.forEach((_, id) => observer.observe(byId(id)));
  }

  const actions = {
    close: (dialog) => dialog.close(),
    previous: () => step(-1),
    next: () => step(1),
    scale: () => setScale(!enlargedBody.classList.contains("actual")),
  };
  [panel, enlarged].forEach((dialog) => {
    dialog.addEventListener("click", (event) => {
      const action = event.target.closest("[data-do]")?.dataset.do;
      if (action) actions[action](dialog);
      else if (event.target === dialog) dialog.close(); // beside it
    });
  });
  enlargedBody.addEventListener("click", actions.scale);
  panel.addEventListener("close", afterClose);
  panel.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by && !event.target.closest("input, .scroll")) step(by);
  });

  document.querySelectorAll("main > section:not(.details)").forEach(prepare);
  makeRows();
  markCurrentSection();
  addEventListener("hashchange", followAddress);
  let unfolded = [];
  addEventListener("beforeprint", () => {
    putBack(); // a detail that is open is printed in its place
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((box) => (box.open = true));
  });
  addEventListener("afterprint", () => {
    unfolded.forEach((box) => (box.open = false));
    followAddress();
  });
  followAddress();
})();
