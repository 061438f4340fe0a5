// Light, dark, or as the system has it. Kept in the browser, for this origin.
import { Observable } from "./observable";

export type Theme = "auto" | "light" | "dark";
const KEY = "svisor-theme";

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // the browser keeps nothing
  }
}

export const theme = new Observable<Theme>(kept());

function show(): void {
  document.documentElement.dataset.theme = theme.value;
}

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // it holds until the page is left
  }
}

theme.subscribe(show);
show();
