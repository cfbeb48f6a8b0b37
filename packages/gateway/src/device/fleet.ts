import { readFileSync, writeFileSync } from 'node:fs';
import { type Answer, explain, type Provision, verdictOf } from './device-link';
import type { Journal } from './journal';

export interface Member {
  /** As it is called in what is printed. */
  readonly name: string;
  readonly token: string;
}

/** One token a line; what follows a `#` at the beginning is for people. @throws Error when there is none, or fewer than wanted */
export function tokensIn(file: string, count: number | undefined): Member[] {
  const tokens = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (tokens.length === 0) throw new Error(`${file} has no token in it: one a line`);
  if (count !== undefined && tokens.length < count)
    throw new Error(`${file} has ${tokens.length} tokens, not ${count}`);
  return tokens.slice(0, count).map((token, at) => ({ name: `device-${at + 1}`, token }));
}

export interface ProvisionWish {
  readonly key: string;
  readonly secret: string;
  readonly prefix: string;
  readonly count: number;
}

/** Lets devices register themselves, one after the other. @throws Error that says which was refused and why */
export async function provisioned(provision: Provision, wish: ProvisionWish, journal: Journal): Promise<Member[]> {
  const members: Member[] = [];
  for (let number = 1; number <= wish.count; number++) {
    const name = `${wish.prefix}-${number}`;
    const answer = await provision(
      JSON.stringify({ deviceName: name, provisionDeviceKey: wish.key, provisionDeviceSecret: wish.secret }),
    );
    const token = tokenIn(answer.body);
    if (token === undefined) throw new Error(`${name} is not provisioned: ${reasonIn(answer)}`);
    journal.sent(name, 'provision', JSON.stringify({ deviceName: name }), 'SUCCESS');
    members.push({ name, token });
  }
  return members;
}

/** A refusal comes with a code of success over HTTP, which would say nothing. */
function reasonIn(answer: Answer): string {
  const reason = explain(answer);
  const said = verdictOf(answer) === 'done' ? reason.slice(answer.code.length).replace(/^: /, '') : reason;
  if (!/not found/.test(said)) return said || answer.code;
  return `${said} Is there a device profile with that provision key and secret? See docs/guides/provision-devices.md`;
}

/** @throws Error when its credentials are not a token */
function tokenIn(body: Buffer): string | undefined {
  let answer: { status?: string; credentialsType?: string; credentialsValue?: string };
  try {
    answer = JSON.parse(body.toString()) as typeof answer;
  } catch {
    return undefined;
  }
  if (answer.status !== 'SUCCESS') return undefined;
  if (answer.credentialsType !== 'ACCESS_TOKEN')
    throw new Error(`The device has ${answer.credentialsType}, and not a token`);
  return answer.credentialsValue;
}

/** As `tokensIn` reads them; for the owner alone. */
export const saveTokens = (file: string, members: readonly Member[]): void =>
  writeFileSync(file, `${members.map(({ token }) => token).join('\n')}\n`, { mode: 0o600 });
