import { type Core, IMPORT_COLUMN_TYPES, type ImportColumn, ImportMapping, type ImportResult } from '@tandem/core';
import { bodyReader } from '../http/body-reader';
import { csvRows } from '../import/csv-rows';
import { exactly, listOf, TEXT, WHOLE } from '../json/schema';
import { jsonAnswer } from '../routing/answer';
import { json, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_ONLY } from '../routing/route';

interface ImportBody {
  /** The text of the file. */
  readonly file: string;
  readonly mapping: {
    readonly columns: readonly ImportColumn[];
    readonly delimiter?: string | null;
    readonly header?: boolean | null;
    readonly update?: boolean | null;
  };
}

/** More have no meaning: a row has to be read by somebody. */
const COLUMNS_MAX = 1_000;

const readImport = bodyReader<ImportBody>({
  type: 'object',
  required: ['file', 'mapping'],
  properties: {
    file: { type: 'string' },
    mapping: {
      type: 'object',
      required: ['columns'],
      properties: {
        columns: {
          type: 'array',
          minItems: 1,
          maxItems: COLUMNS_MAX,
          items: {
            type: 'object',
            required: ['type'],
            properties: { type: { enum: IMPORT_COLUMN_TYPES }, key: { type: ['string', 'null'] } },
          },
        },
        delimiter: { type: ['string', 'null'], format: 'delimiter' },
        header: { type: ['boolean', 'null'] },
        update: { type: ['boolean', 'null'] },
      },
    },
  },
});

const IMPORT_ANSWER = exactly('BulkImportResult', {
  created: WHOLE,
  updated: WHOLE,
  errors: WHOLE,
  errorsList: listOf(TEXT),
});

/** ThingsBoard's import of a device list. */
export function deviceImportRoutes({ deviceImport }: Core): Route[] {
  const importDevices = async ({ caller, body, signal }: ApiRequest): Promise<Reply> => {
    const { file, mapping } = await body(readImport);
    const columns = new ImportMapping(mapping.columns);
    const rows = () => csvRows(file, { delimiter: mapping.delimiter ?? ',', header: mapping.header ?? false });
    const options = { update: mapping.update ?? false, signal };
    const result: ImportResult = await deviceImport.run(caller.user.tenantId, columns, rows, options);
    return json(result);
  };

  return [
    {
      method: 'POST',
      path: '/api/device/bulk_import',
      summary: 'Create and update devices out of a CSV list',
      authorities: TENANT_ONLY,
      refusal: 'json',
      body: readImport,
      answer: jsonAnswer(IMPORT_ANSWER),
      handle: importDevices,
    },
  ];
}
