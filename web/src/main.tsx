// The page begins here: the route chooses what is shown inside the shell.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/table.css";
import "./styles/pages.css";
import "./styles/details.css";
import "./styles/logs.css";
import "./styles/timeline.css";
import { live, store } from "./model/index";
import { useTables } from "./ui/hooks";
import { useRoute } from "./ui/route";
import { Shell } from "./ui/shell";
import { toast } from "./ui/toasts";
import { pageOf } from "./pages/index";

function App() {
  const route = useRoute();
  const tables = useTables("link");
  const page = pageOf(route.path);
  useEffect(() => {
    document.title = `${page.title(route.path)} – ${tables.hello?.software_name || tables.hello?.nick_identifier || "svisor"}`;
  }, [route.path.join("/"), tables.hello]);
  useEffect(() => scrollTo(0, 0), [route.path.join("/")]);
  return (
    <Shell path={route.path}>
      {store.isReady ? <page.Page key={route.path.join("/")} path={route.path} query={route.query} /> : <p class="waiting">Waiting for svisord…</p>}
    </Shell>
  );
}

// What came of an action of an old address, /index.html?action=…, which has led here. Told once: not again after a reload.
function tellMessage() {
  const message = new URLSearchParams(location.search).get("message");
  if (!message) return;
  toast(/^(ERROR|No such|unexpected)/.test(message) ? "bad" : "good", message);
  history.replaceState(null, "", location.pathname + location.hash);
}

tellMessage();
const place = document.getElementById("app")!;
place.textContent = ""; // what index.html shows until the script is there
render(<App />, place);
live.connect();
addEventListener("pagehide", () => live.close());
addEventListener("pageshow", (event) => event.persisted && live.connect());
addEventListener("online", () => live.connect());
