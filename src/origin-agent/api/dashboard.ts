/** A page of our own that lists what the API shows; needs nothing from elsewhere. `apiPath` ends in a slash. */
export function dashboardPage(apiPath: string, title: string): Response {
  return new Response(page(escapeHtml(apiPath), escapeHtml(title === '' ? 'Edgeway' : title)), {
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': "frame-src 'self' https://traefik.io https://*.traefik.io;",
    },
  });
}

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const page = (apiPath: string, title: string): string => `<!doctype html>
<html lang="en" data-api="${apiPath}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark }
table { border-collapse: collapse; margin: 0 0 2rem; min-width: 60% }
th, td { text-align: left; padding: .2rem 1.5rem .2rem 0; border-bottom: 1px solid #8884; vertical-align: top }
.disabled, .warning { color: #c33 }
</style>
<h1>${title}</h1>
<main>Loading …</main>
<script>
const api = document.documentElement.dataset.api;
const lists = ['http/routers', 'http/services', 'http/middlewares', 'tcp/routers', 'tcp/services', 'tcp/middlewares', 'udp/routers', 'udp/services'];
const columns = ['name', 'rule', 'type', 'service', 'entryPoints', 'status', 'error'];
const element = (name, content = '', className = '') => {
  const made = document.createElement(name);
  made.className = className;
  if (typeof content === 'string') made.textContent = content;
  else made.append(...content);
  return made;
};
const text = (value) => (Array.isArray(value) ? value.join(', ') : value ?? '');
async function all(path) {
  const found = [];
  for (let page = 1; ; ) {
    const response = await fetch(api + path + '?page=' + page);
    if (!response.ok) throw new Error(path + ': ' + response.status);
    found.push(...(await response.json()));
    const next = Number(response.headers.get('X-Next-Page'));
    if (next <= page) return found;
    page = next;
  }
}
async function show() {
  const main = document.querySelector('main');
  const parts = [];
  for (const path of lists) {
    const objects = await all(path);
    if (objects.length === 0) continue;
    const used = columns.filter((column) => objects.some((object) => object[column] !== undefined));
    const rows = objects.map((object) => element('tr', used.map((column) => element('td', text(object[column]), object.status))));
    parts.push(element('h2', path), element('table', [element('tr', used.map((column) => element('th', column))), ...rows]));
  }
  main.replaceChildren(...parts);
}
show().catch((error) => (document.querySelector('main').textContent = String(error)));
</script>
</html>
`;
