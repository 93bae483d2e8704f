/* The theme: the system's, or the one chosen here; a cookie, so that the server writes it into the page. */
export const setCookie = (name, value) => {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
};

const systemIsDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

export function startTheme() {
  const button = document.getElementById("theme-switch");
  if (!button) return;
  const root = document.documentElement;
  const shown = () => root.dataset.theme || (systemIsDark() ? "dark" : "light");
  const name = () => {
    const other = shown() === "dark" ? "light" : "dark";
    button.title = `Switch to the ${other} theme`;
    button.setAttribute("aria-label", button.title);
  };
  button.hidden = false;
  name();
  button.addEventListener("click", () => {
    root.dataset.theme = shown() === "dark" ? "light" : "dark";
    setCookie("theme", root.dataset.theme);
    name();
  });
}
