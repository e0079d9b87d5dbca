/** A plain page with an Allow and a Deny button; `action` gets the answer as a form. */
export function consentPage(options: {
  readonly clientName: string;
  readonly action: string;
  readonly scope: string;
}): string {
  const scopes = options.scope.split(' ').filter((scope) => scope !== '');
  const asked =
    scopes.length === 0 ? '' : `<ul>${scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('')}</ul>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Allow access?</title>
<style>
  :root { color-scheme: light dark; font: 1.1rem/1.5 system-ui, sans-serif }
  main { max-width: 26rem; margin: 15vh auto; padding: 0 1rem }
  button { font: inherit; padding: .4rem 1.4rem; margin-right: .6rem }
</style>
<main>
<h1>Allow access?</h1>
<p><b>${escapeHtml(options.clientName)}</b> asks to use this server in your name.</p>
${asked}
<form method="post" action="${escapeHtml(options.action)}">
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button>
</form>
</main>
</html>
`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
