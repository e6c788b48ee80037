(() => {
  "use strict";
  const bar = document.querySelector("#requirements .filters");
  if (!bar) return;
  const rows = [...document.querySelectorAll("table.requirements tbody tr")];
  const violations = [...document.querySelectorAll("details.violation")];
  const made = (tag, more, ...inside) => {
    const element = Object.assign(document.createElement(tag), more);
    element.append(...inside);
    return element;
  };
  const search = made("input", { type: "search" });
  const sort = made("select", {}, ...["id", "most violated first", "MUST first"].map(name => new Option(name)));
  const count = made("span", { className: "muted small" });
  count.setAttribute("role", "status");
  bar.append(
    made("label", { className: "filter" }, "search", search),
    made("label", { className: "filter" }, "sort", sort),
    count
  );
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/);
    const show = element => {
      const text = element.textContent.toLowerCase();
      element.hidden = !words.every(word => text.includes(word));
    };
    rows.forEach(show);
    violations.forEach(show);
    for (const group of document.querySelectorAll("#requirements > section")) {
      group.hidden = !group.querySelector("tbody tr:not([hidden])");
    }
    const left = rows.filter(row => !row.hidden).length;
    count.textContent = search.value ? `${left} of ${rows.length} requirements` : "";
  });
  sort.addEventListener("change", () => {
    const violated = row => row.querySelectorAll(".violated, .broken").length;
    const id = row => row.cells[0].textContent;
    const by = [
      () => 0,
      (one, other) => violated(other) - violated(one),
      (one, other) => one.cells[1].textContent.localeCompare(other.cells[1].textContent)
    ][sort.selectedIndex];
    for (const body of document.querySelectorAll("table.requirements tbody")) {
      body.append(...[...body.rows].sort((one, other) => by(one, other) || id(one).localeCompare(id(other))));
    }
  });
})();
