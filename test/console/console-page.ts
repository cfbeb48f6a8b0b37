import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../support/gateway-process';

const SCREENSHOTS = join(__dirname, 'screenshots');
/** Debian's, or the one that is named. */
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) throw new Error(`No browser at ${CHROMIUM}: set CHROMIUM to one`);
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: CHROMIUM, args: [...asRoot, '--disable-dev-shm-usage'] });
}

interface Looks {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** The console in a window of its own, as somebody sees it. */
export class ConsolePage {
  /** What the browser complained about: refused by the policy, or thrown. Refusals of the server are no fault of the page. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly base: string,
  ) {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      const text = message.text();
      if (
        message.type() === 'error' &&
        !/^Failed to load resource: .* status of \d+|WebSocket connection|ERR_CONNECTION/.test(text)
      ) {
        this.complaints.push(text);
      }
    });
  }

  static async open(browser: Browser, port: number, { width = 1280, height = 800, colorScheme = 'light' }: Looks = {}) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    const made = new ConsolePage(context, page, `http://127.0.0.1:${port}`);
    await context.exposeFunction('refusedByPolicy', (what: string) => made.complaints.push(what));
    await context.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
      refusedByPolicy(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample))`);
    await made.show('');
    return made;
  }

  static async loggedIn(browser: Browser, port: number, looks: Looks = {}): Promise<ConsolePage> {
    const made = await ConsolePage.open(browser, port, looks);
    await made.logIn();
    return made;
  }

  async show(hash: string): Promise<void> {
    await this.page.goto(`${this.base}/${hash}`);
  }

  async logIn(email = ADMIN_EMAIL, password = ADMIN_PASSWORD): Promise<void> {
    await this.page.getByLabel('E-mail').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.page.getByRole('button', { name: 'Log out' }).waitFor();
  }

  async showDevice(id: string): Promise<void> {
    await this.show(`#/devices/${id}`);
    await this.page.getByRole('heading', { name: 'Telemetry' }).waitFor();
  }

  part(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }

  scope(scope: 'SHARED' | 'SERVER' | 'CLIENT'): Locator {
    return this.page.locator(`[data-scope="${scope}_SCOPE"]`);
  }

  /** Resolves when this text stands there; the text of the failure says what did instead. */
  async reads(where: Locator, text: string | RegExp): Promise<void> {
    await where.filter({ hasText: text }).first().waitFor();
  }

  /** Of the element that has the keyboard: its name, its role, or what it is. */
  focused(): Promise<string> {
    return this.page.evaluate(
      `(() => { const one = document.activeElement; return one.getAttribute('aria-label') || one.labels?.[0]?.textContent || one.textContent || one.tagName })()`,
    );
  }

  /** How far the page is wider than the window. */
  overflow(): Promise<number> {
    return this.page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
