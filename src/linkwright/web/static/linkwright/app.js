/* Starts what a page needs. Every part works on its own; without scripts the pages still do. */
import { startDialogs } from "./dialogs.js";
import { startEditor } from "./editor.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startSample } from "./sample.js";
import { startRows } from "./rows.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";
import { startUpload } from "./upload.js";

startTheme();
startTimes();
startRows();
startLive();
startDialogs();
startUpload();
startSample();
startEditor();
startKeys();

/* a narrow bar scrolls: the tab that one is on must not lie outside of it */
const current = document.querySelector('.tabs [aria-current="page"]');
if (current) current.parentElement.scrollLeft = current.offsetLeft + current.offsetWidth - current.parentElement.clientWidth;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-dismiss]");
  if (button) button.closest(".flash").remove();
  const menu = document.getElementById("person-menu");
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
for (const select of document.querySelectorAll("#filters select")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
document.getElementById("filters")?.addEventListener("submit", (event) => {
  /* an empty filter has no place in the address */
  for (const field of event.target.elements) if (field.name && !field.value) field.disabled = true;
});
