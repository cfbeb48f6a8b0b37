import type { Gauge, MetricsRegistry } from '@tandem/core';

/** The Prometheus text format, version 0.0.4: all samples of a family stand together. */
export function renderMetrics(metrics: MetricsRegistry): string {
  const families = new Map<string, Gauge[]>();
  for (const gauge of metrics.list()) {
    const family = gauge.name.split('{')[0] ?? gauge.name;
    const members = families.get(family);
    if (members) members.push(gauge);
    else families.set(family, [gauge]);
  }
  let text = '';
  for (const [family, members] of families) {
    text += `# HELP ${family} ${members[0]?.help}\n# TYPE ${family} ${members[0]?.kind}\n`;
    for (const { name, read } of members) text += `${name} ${sample(read())}\n`;
  }
  return text;
}

const sample = (value: number): string => String(value).replace(/^(-?)Infinity$/, (_, sign) => `${sign || '+'}Inf`);
