// One instance: its processes, its host, what can be done with its daemon.
import * as actions from "../api/actions";
import { useTables } from "../ui/hooks";
import { MenuButton } from "../ui/menu";
import { State } from "../ui/state";
import type { PageProperties } from "./index";
import { ProcessTable } from "./processes";

export function InstancePage(props: PageProperties) {
  const tables = useTables("instance", "supvisors");
  const identifier = props.path[1] ?? "";
  const instance = tables.instances.get(identifier);
  if (!instance)
    return (
      <section class="page">
        <h1>There is no instance {identifier}</h1>
      </section>
    );
  const isMaster = tables.supvisors?.master_identifier === identifier;
  return (
    <div class="page">
      <div class="page-head">
        <h1>{instance.nick_identifier || identifier}</h1>
        {isMaster && <span class="badge badge-master">★ Master</span>}
        <State state={instance.statename} />
        <MenuButton
          label={`More for ${instance.nick_identifier}`}
          items={[
            { text: "Clear its log", run: () => void actions.clearMainLog(identifier) },
            { text: "Restart svisord", run: () => void actions.restartInstance(identifier), isDangerous: true },
            { text: "Shut svisord down", run: () => void actions.shutdownInstance(identifier), isDangerous: true },
          ]}
        />
      </div>
      {instance.why && instance.statename !== "RUNNING" && <p class="quiet">{instance.why}</p>}
      <ProcessTable identifier={identifier} />
    </div>
  );
}
