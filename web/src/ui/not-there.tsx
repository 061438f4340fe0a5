// What a page is about does not exist, or does not any more.
export function NotThere(props: { what: string; words?: string }) {
  return (
    <section class="page">
      <h1>There is no {props.what}</h1>
      {props.words && <p class="quiet">{props.words}</p>}
      <p>
        <a href="#/">To the start page</a>
      </p>
    </section>
  );
}
