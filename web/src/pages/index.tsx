// Which page an address shows. A new page is one row here.
import type { ComponentType } from "preact";
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

function NotThere(props: PageProperties) {
  return (
    <section class="page">
      <h1>There is no such page</h1>
      <p class="quiet">#/{props.path.join("/")}</p>
      <p>
        <a href="#/">To the start page</a>
      </p>
    </section>
  );
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

const NONE: Page = { title: () => "No such page", Page: NotThere };

export function pageOf(path: string[]): Page {
  return PAGES[path[0] ?? ""] ?? NONE;
}
