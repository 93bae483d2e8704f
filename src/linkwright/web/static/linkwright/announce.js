/* The one polite live region: what matters to those who do not look. Silent for ticks. */
export function announce(text) {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}
