import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRIC_TOPICS, type MetricRow, valuesOf } from '@tandem/core';
import { parse } from 'yaml';

const ROOT = join(__dirname, '..');
const METRICS = new Map(Object.values(METRIC_TOPICS).flatMap((rows) => Object.entries<MetricRow>(rows)));
/** What Prometheus adds to each sample, and to buckets. */
const ADDED = ['job', 'instance', 'le'];

interface Target {
  readonly expr: string;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly Target[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}
interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

describe('The dashboard', () => {
  const { panels, templating } = JSON.parse(
    readFileSync(join(ROOT, 'deploy/grafana/tandem.json'), 'utf8'),
  ) as Dashboard;
  const targets = panels.flatMap((panel) => panel.targets ?? []);

  it('asks for metrics and labels that there are, and for no others', () => {
    expect(targets.length).toBeGreaterThan(30);
    expect(targets.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
  });

  it('lets the reader choose the source, the job and the instance, and each panel keeps to them', () => {
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    for (const { expr } of targets) {
      for (const [, , matchers] of selectorsOf(expr)) expect(matchers).toContain('job=~"$job",instance=~"$instance"');
    }
  });

  it('has a number of its own for each panel', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

describe('The alerts', () => {
  const { groups } = parse(readFileSync(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8')) as Alerts;
  const rules = groups.flatMap((group) => group.rules);

  it('look at metrics and labels that there are, and at no others', () => {
    expect(rules.length).toBeGreaterThan(5);
    expect(rules.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe('An expression', () => {
  it.each([
    ['rate(tandem_made_up_total[5m])', 'tandem_made_up_total is no metric'],
    ['tandem_sessions_bucket', 'tandem_sessions_bucket is no metric'],
    ['tandem_request_duration_seconds', 'tandem_request_duration_seconds is no metric'],
    ['sum by (device) (tandem_sessions)', 'no label device'],
    ['tandem_sessions{device="a"}', 'tandem_sessions has no label device'],
    ['tandem_requests_total{code="799"}', 'tandem_requests_total: code is never 799'],
    ['tandem_requests_total{code=~"7.*"}', 'tandem_requests_total: code is never 7.*'],
    ['sum(tandem_http_open_polls) + sum(', 'brackets'],
  ])('that asks for what there is not is found: %s', (expr, fault) => {
    expect(faultsOf(expr)).toEqual([fault]);
  });
});

/** Name and matchers of each selector. */
function selectorsOf(expr: string): RegExpMatchArray[] {
  return [...expr.matchAll(/\b((?:tandem|process|nodejs)_[a-z0-9_]+)(?:\{([^}]*)\})?/g)];
}

function faultsOf(expr: string): string[] {
  const faults: string[] = [];
  const selectors = selectorsOf(expr.replaceAll(/"[^"]*"/g, (text) => text.replaceAll(/[{}]/g, ' ')));
  const labels = new Set(ADDED);
  for (const [, name = '', matchers = ''] of selectors) {
    const row = rowOf(name);
    if (!row) {
      faults.push(`${name} is no metric`);
      continue;
    }
    for (const label of Object.keys(row.labels)) labels.add(label);
    for (const [, label = '', operator = '', value = ''] of matchers.matchAll(/([a-z_]+)(=~|!~|!=|=)"([^"]*)"/g)) {
      if (ADDED.includes(label)) continue;
      const values = row.labels[label];
      if (!values) faults.push(`${name} has no label ${label}`);
      else if (!valuesOf(values).some((each) => (operator.endsWith('~') ? matches(value, each) : each === value)))
        faults.push(`${name}: ${label} is never ${value}`);
    }
  }
  if (faults.length === 0) {
    for (const [, list = ''] of expr.matchAll(/\b(?:by|without) \(([^)]*)\)/g)) {
      for (const label of list.split(/, */)) if (!labels.has(label)) faults.push(`no label ${label}`);
    }
  }
  const depth = [...expr].reduce((sum, letter) => sum + (letter === '(' ? 1 : letter === ')' ? -1 : 0), 0);
  if (depth !== 0) faults.push('brackets');
  return faults;
}

const matches = (pattern: string, text: string): boolean => new RegExp(`^(?:${pattern})$`).test(text);

/** Of a histogram only what it is made of can be asked for. */
function rowOf(name: string): MetricRow | undefined {
  const own = METRICS.get(name);
  if (own) return own.kind === 'histogram' ? undefined : own;
  const family = METRICS.get(name.replace(/_(bucket|sum|count)$/, ''));
  return family?.kind === 'histogram' ? family : undefined;
}
