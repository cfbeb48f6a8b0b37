// The page of the metrics, from the table that the parts of the gateway ask by.

/** @param core what `@tandem/core` exports. @param head first line of the page */
export function metricsPage(core, head) {
  const topics = Object.entries(core.METRIC_TOPICS).map(([title, rows]) => topic(core, title, rows));
  return `${head}
# Metrics

\`GET /metrics\` on \`TANDEM_METRICS_PORT\` says them in the Prometheus text format. *Of* says which processes have one: those with a role,
with a store (\`embedded\`, \`redis\`), or all. What nothing has happened to yet may be missing. A label has no other values than those
here, so no metric carries a name, an address or a token. Which of them are worth a look, and an alarm:
[watch a gateway that runs](../guides/monitor.md).

A number's unit is in its name: \`_seconds\`, \`_bytes\`, \`_ratio\` (0 to 1), \`_timestamp_seconds\` (since 1970); all others are numbers of things.
Histograms have \`_bucket\`, \`_sum\` and \`_count\`, as Prometheus has it. Of several workers (\`TANDEM_WORKERS\`) one number is said: their
sum, or where all see the same the largest or smallest, as *Workers* says. What a worker that has ended counted stays in the sums of counters
and histograms, but for the last two seconds of one that was killed.

${topics.join('\n')}`;
}

function topic(core, title, rows) {
  const lines = Object.entries(rows).map(([name, row]) => line(name, row));
  const labels = Object.entries(labelsOf(core, rows)).map(([label, values]) => labelTable(label, values));
  return `## ${title}

| Metric | Kind | Of | Labels | Workers | What it counts |
|---|---|---|---|---|---|
${lines.join('\n')}
${labels.join('')}`;
}

const line = (name, { kind, of, labels, across, help }) =>
  `| \`${name}\` | ${kind} | ${of} | ${names(Object.keys(labels))} | ${across} | ${escaped(help)} |`;

/** Each label of a topic with all values that metrics of the topic may have; metrics of one topic may differ in what a reason is. */
function labelsOf(core, rows) {
  const labels = {};
  for (const [name, row] of Object.entries(rows)) {
    for (const [label, values] of Object.entries(row.labels)) {
      const key = Object.values(rows).filter((other) => other.labels[label] && !same(core, other.labels[label], values))
        .length
        ? `\`${label}\` of \`${name}\``
        : `\`${label}\``;
      labels[key] = values;
    }
  }
  return labels;
}

const same = (core, one, other) => core.valuesOf(one).join() === core.valuesOf(other).join();

function labelTable(label, values) {
  if (Array.isArray(values)) return `\n${label}: ${names(values)}.\n`;
  const lines = Object.entries(values).map(([value, meaning]) => `| \`${value}\` | ${escaped(meaning)} |`);
  return `\n| ${label} | |\n|---|---|\n${lines.join('\n')}\n`;
}

const names = (list) => list.map((name) => `\`${name}\``).join(', ');
const escaped = (text) => text.replaceAll('|', '\\|');
