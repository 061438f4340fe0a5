// Which page an address shows. A new page is one row here.
import type { ComponentType } from "preact";
import { NotThere } from "../ui/not-there";
import { ApplicationPage } from "./application";
import { Cluster } from "./cluster";
import { ConciliationPage } from "./conciliation";
import { InstancePage } from "./instance";
import { LogsPage } from "./logs";
import { ProcessPage } from "./process";
import { TimelinePage } from "./timeline";

export interface PageProperties {
  path: string[]; // ["instances", "10.0.0.2:9001"]
  query: URLSearchParams;
}

interface Page {
  title: (path: string[]) => string;
  Page: ComponentType<PageProperties>;
}

const PAGES: Record<string, Page> = {
  "": { title: () => "Cluster", Page: Cluster },
  instances: { title: (path) => path[1] ?? "Instance", Page: InstancePage },
  applications: { title: (path) => path[1] ?? "Application", Page: ApplicationPage },
  processes: { title: (path) => path[1] ?? "Process", Page: ProcessPage },
  conciliation: { title: () => "Conciliation", Page: ConciliationPage },
  timeline: { title: () => "Timeline", Page: TimelinePage },
  logs: { title: () => "Logs", Page: LogsPage },
};

const NONE: Page = { title: () => "No such page", Page: (props) => <NotThere what="such page" words={`#/${props.path.join("/")}`} /> };

export function pageOf(path: string[]): Page {
  return PAGES[path[0] ?? ""] ?? NONE;
}
