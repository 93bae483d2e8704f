/* Keeps ages and running durations true between two answers of the server. */
const MINUTE = 60, HOUR = 3600, DAY = 86400;

export function formatDuration(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${whole % MINUTE} s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)} h ${Math.floor((whole % HOUR) / MINUTE)} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

export function formatAge(seconds, at) {
  if (seconds < 5) return "just now";
  for (const [size, unit] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"]]) {
    if (seconds < size) continue;
    const count = Math.floor(seconds / size);
    return unit === "d" && count > 30 ? at.slice(0, 10) : `${count} ${unit} ago`;
  }
  return `${Math.floor(seconds)} s ago`;
}

function update(selector, format) {
  for (const element of document.querySelectorAll(selector)) {
    const at = element.getAttribute("datetime");
    const text = format((Date.now() - Date.parse(at)) / 1000, at);
    if (element.textContent !== text) element.textContent = text;
  }
}

export function startTimes() {
  setInterval(() => {
    if (document.hidden) return;
    update("time.elapsed", (seconds) => formatDuration(Math.max(seconds, 1)).replace(/\.\d/, ""));
    update("time.age", formatAge);
  }, 1000);
}
