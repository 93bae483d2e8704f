/* The one polite live region: what matters to those who do not look. Silent for ticks. What comes at the same moment,
   as several rows of one poll, is told together: a region that is written twice is read once. */
let waiting = [];

function tell() {
  const region = document.getElementById("announcer");
  if (region) region.textContent = waiting.join(" ");
  waiting = [];
}

export function announce(text) {
  const sentence = /[.!?]$/.test(text) ? text : `${text}.`;
  if (!waiting.length) setTimeout(tell, 60);
  if (!waiting.includes(sentence)) waiting.push(sentence);
}
