// How one run ended: the sentence, who and how in columns, and what it said last.
import { certificateFacts, isHarmless } from "../model/deaths";
import type { Certificate } from "../model/deaths";
import { dateAndClock, duration } from "../model/words";
import { Facts } from "../ui/facts";
import { Mark } from "../ui/state";

function Tail(props: { certificate: Certificate }) {
  const { tail, tail_channel } = props.certificate;
  if (!tail?.length) return null;
  return (
    <figure class="tail-figure">
      <figcaption class="quiet">Its last lines{tail_channel && ` of ${tail_channel}`}</figcaption>
      <pre class="tail">{tail.join("\n")}</pre>
    </figure>
  );
}

function Body(props: { certificate: Certificate }) {
  return (
    <>
      <Facts facts={certificateFacts(props.certificate)} />
      <Tail certificate={props.certificate} />
    </>
  );
}

export function CertificateView(props: { certificate: Certificate; where: string }) {
  const { certificate } = props;
  return (
    <article class={`certificate ${isHarmless(certificate) ? "" : "certificate-bad"}`} aria-label="Death certificate">
      <p class="certificate-words">{certificate.summary}</p>
      <p class="quiet">
        {certificate.run ? `Run ${certificate.run}` : "A start"}
        {props.where && ` at ${props.where}`}
        {certificate.pid && `, pid ${certificate.pid}`} · {certificate.cause.replace(/_/g, " ").toLowerCase()}
      </p>
      <Body certificate={certificate} />
    </article>
  );
}

// One line, which can be opened.
export function Run(props: { certificate: Certificate; where: string }) {
  const { certificate } = props;
  return (
    <li>
      <details class="run">
        <summary>
          <span class={isHarmless(certificate) ? "tone-idle" : "tone-bad"}>
            <Mark state={isHarmless(certificate) ? "EXITED" : "FATAL"} />
          </span>
          <time class="quiet">{dateAndClock((certificate.ended_ms ?? 0) / 1000)}</time>
          <span class="quiet">{props.where}</span>
          <span class="run-text">{certificate.text}</span>
          <span class="quiet number">{certificate.lived_ms === undefined ? "" : `lived ${certificate.lived_ms < 1000 ? `${certificate.lived_ms} ms` : duration(certificate.lived_ms / 1000)}`}</span>
        </summary>
        <Body certificate={certificate} />
      </details>
    </li>
  );
}
