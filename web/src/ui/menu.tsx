// A button that opens a list of actions. Arrow keys, Escape and a click elsewhere do what they do everywhere.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

export interface MenuItem {
  text: string;
  run?: () => void;
  href?: string;
  isDangerous?: boolean;
  isOff?: boolean;
  why?: string; // why it is off
}

// Below the button, or above it where there is no room; never outside of the window.
function placeOf(button: HTMLElement, panel: HTMLElement): { left: string; top: string } {
  const at = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - panel.offsetWidth, innerWidth - panel.offsetWidth - 8));
  const fits = at.bottom + panel.offsetHeight + 8 < innerHeight;
  const top = fits ? at.bottom + 4 : Math.max(8, at.top - panel.offsetHeight - 4);
  return { left: `${left}px`, top: `${top}px` };
}

function MenuPanel(props: { button: HTMLElement; label: string; items: MenuItem[]; close: () => void }) {
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = panel.current!;
    Object.assign(element.style, placeOf(props.button, element), { visibility: "visible" });
    element.querySelector<HTMLElement>("[role=menuitem]:not([aria-disabled=true])")?.focus();
    const outside = (event: Event) => {
      if (!element.contains(event.target as Node)) props.close();
    };
    document.addEventListener("pointerdown", outside, true);
    addEventListener("scroll", props.close, { passive: true });
    return () => {
      document.removeEventListener("pointerdown", outside, true);
      removeEventListener("scroll", props.close);
    };
  }, []);
  const onKey = (event: KeyboardEvent) => {
    const items = [...panel.current!.querySelectorAll<HTMLElement>("[role=menuitem]")];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) items[(at + step + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      props.close();
      props.button.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="menu" role="menu" aria-label={props.label} ref={panel} onKeyDown={onKey}>
      {props.items.map((one) => {
        const attributes = {
          role: "menuitem" as const,
          class: `menu-item ${one.isDangerous ? "danger-text" : ""}`,
          "aria-disabled": one.isOff,
        };
        const text = (
          <>
            {one.text} {one.isOff && one.why && <span class="menu-why">{one.why}</span>}
          </>
        );
        const run = () => {
          if (one.isOff) return;
          props.close();
          props.button.focus();
          one.run?.();
        };
        return one.href && !one.isOff ? (
          <a key={one.text} href={one.href} {...attributes} onClick={props.close}>
            {text}
          </a>
        ) : (
          <button key={one.text} type="button" {...attributes} onClick={run}>
            {text}
          </button>
        );
      })}
    </div>
  );
}

export function MenuButton(props: { label: string; items: MenuItem[]; class?: string; children?: ComponentChildren }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        type="button"
        ref={button}
        class={props.class ?? "icon-button"}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={props.label}
        title={props.label}
        onClick={() => setOpen(!isOpen)}
      >
        {props.children ?? "⋯"}
      </button>
      {isOpen && <MenuPanel button={button.current!} label={props.label} items={props.items} close={() => setOpen(false)} />}
    </>
  );
}
