// Long tables can be sorted by their headers: DataTables, fetched from beside the page where there is such a table.
document.addEventListener("DOMContentLoaded", () => {
  const tables = document.querySelectorAll("table.sortable");
  if (!tables.length) return;
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "_static/datatables.css" });
  document.head.prepend(style); // before our own styles
  const script = Object.assign(document.createElement("script"), { src: "_static/datatables.js" });
  script.onload = () => tables.forEach(sortable);
  document.head.append(script);
});

function sortable(table) {
  for (const cell of table.tBodies[0].querySelectorAll("th, td")) {
    if (!cell.classList.contains("number")) continue;
    const number = parseFloat(cell.textContent.replace(/^[^\d.+-]+/, "")); // "47.1 [41.2, 52.4]" sorts by 47.1
    cell.dataset.order = Number.isNaN(number) ? -1e9 : number; // "–" comes first
  }
  const only = { paging: false, searching: false, info: false, ordering: true, order: [], autoWidth: false };
  window.jQuery(table).DataTable(only);
}

// Paper is white.
let theme;
window.addEventListener("beforeprint", () => {
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
window.addEventListener("afterprint", () => (document.documentElement.dataset.theme = theme));
