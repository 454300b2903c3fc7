// Our own script: everything here only improves pages that work without it.

// The error summary takes the focus, so that it is the first thing that is read out.
document.querySelector("[data-focus]")?.focus();

// A second press on a submit button while the first is under way does nothing (the server would replay it anyway).
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-once]")) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
});

// Approved on the page before: carrying it out needs no second press.
document.querySelector("form[data-go-on]")?.requestSubmit();

// Filters that apply as soon as they are chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-auto-submit]")) event.target.form.requestSubmit();
});

// A slider over the chart moves along its points, which the table under it holds.
for (const box of document.querySelectorAll("[data-chart]")) {
  const range = box.querySelector("[data-chart-range]");
  const rows = box.querySelectorAll("tbody tr");
  const read = box.querySelector("[data-chart-read]");
  const summary = read.textContent;
  const dots = box.querySelectorAll("[data-chart-dot]");
  const cursor = box.querySelector("[data-chart-cursor]");
  const show = (index) => {
    const row = rows[index];
    if (!row) return;
    const text = [...row.cells].map((cell) => cell.textContent.trim()).join(": ");
    read.textContent = text;
    range.value = index;
    range.setAttribute("aria-valuetext", text);
    for (const dot of dots) dot.setAttribute("d", `M${row.dataset.x} ${row.dataset.y}h0`);
    cursor.setAttribute("d", `M${row.dataset.x} 0V300`);
    cursor.setAttribute("visibility", "visible");
  };
  const rest = () => {
    show(rows.length - 1);
    cursor.setAttribute("visibility", "hidden");
    read.textContent = summary;
  };
  range.hidden = false;
  range.addEventListener("input", () => show(range.valueAsNumber));
  range.addEventListener("focus", () => range.matches(":focus-visible") && show(range.valueAsNumber));
  range.addEventListener("pointermove", (event) => {
    const area = range.getBoundingClientRect();
    show(Math.round(((event.clientX - area.left) / area.width) * (rows.length - 1)));
  });
  range.addEventListener("pointerleave", rest);
  range.addEventListener("blur", rest);
}
