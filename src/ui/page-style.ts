/** One constant style sheet for all pages, allowed by its hash in the content security policy; the pages load nothing. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f3f1ec; --card: #fffefb; --line: #e3dfd5; --ink: #23262b; --soft: #5d625f; --water: #d7e3e6; --quote: #f6f4ee;
  --good: #1e6f52; --bad: #a3402f; --mild: #7a5b15;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --card: #1c2024; --line: #2d3338; --ink: #e9e7e1; --soft: #a5aaa8; --water: #22353b; --quote: #23282c;
    --good: #7ccbaa; --bad: #f0a08f; --mild: #e2c27a;
  }
}
* { box-sizing: border-box; margin: 0; }
html { height: 100%; }
body {
  min-height: 100%; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main {
  width: 100%; max-width: 30rem; overflow: hidden; background: var(--card);
  border: 1px solid var(--line); border-radius: 1rem; box-shadow: 0 1px 2px rgb(0 0 0 / .05), 0 1rem 2.5rem rgb(0 0 0 / .07);
}
.scene { display: block; width: 100%; height: auto; background: var(--water); color: var(--tone); }
.text { padding: 1.5rem 1.75rem 1.75rem; }
.good { --tone: var(--good); }
.bad { --tone: var(--bad); }
.mild { --tone: var(--mild); }
h1 { font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; color: var(--tone); text-wrap: balance; }
p { margin-top: .75rem; overflow-wrap: anywhere; }
strong { font-weight: 600; }
.next { color: var(--soft); }
blockquote {
  margin: .75rem 0 0; padding: .625rem .875rem; background: var(--quote); border-left: 3px solid var(--tone);
  border-radius: 0 .375rem .375rem 0; font-size: .9375rem; overflow-wrap: anywhere;
}
footer { margin-top: 1.5rem; padding-top: .875rem; border-top: 1px solid var(--line); font-size: .8125rem; color: var(--soft); }
@media (max-width: 24rem) { .text { padding: 1.25rem; } h1 { font-size: 1.375rem; } }
@media print { body { background: none; } main { box-shadow: none; } }
`;

const BANKS = '<path d="M0 76h84v44H0zM316 76h84v44h-84z" opacity=".3"/>';
const TOWERS =
  '<path d="M84 34h24v86H84zM292 34h24v86h-24zM80 26h8v8h-8zM92 26h8v8h-8zM104 26h8v8h-8zM288 26h8v8h-8zM300 26h8v8h-8zM312 26h8v8h-8z" opacity=".75"/>';
const WATER =
  '<path d="M112 104q11-5 22 0t22 0 22 0 22 0 22 0 22 0 22 0 22 0" fill="none" stroke="currentColor" stroke-width="2" opacity=".35"/>';
const DOWN =
  '<path d="M108 74h184v7H108z"/><path d="M108 42l86 32M292 42l-86 32" fill="none" stroke="currentColor" stroke-width="1.5" opacity=".6"/>';
const UP =
  '<path d="M108 81v-7l70-50 4 5.700z"/><path d="M292 81v-7l-70-50-4 5.700z"/><path d="M108 40l56-6M292 40l-56-6" fill="none" stroke="currentColor" stroke-width="1.5" opacity=".6"/>';

/** An SVG of a drawbridge, down after a successful sign-in and up after a failed one; purely decorative. */
export function scene(isDown: boolean): string {
  return `<svg class="scene" viewBox="0 0 400 120" aria-hidden="true" fill="currentColor">${BANKS}${WATER}${TOWERS}${isDown ? DOWN : UP}</svg>`;
}
