import { CHECKSUM_ALGORITHMS, type Core, fileAnswer, type OtaPackage, PACKAGE_TYPES, TandemError } from '@tandem/core';
import { bodyWithTextReader } from '../http/body-reader';
import { fileReader } from '../http/multipart';
import { pageQuery } from '../http/paging';
import { uuidParameter } from '../http/path';
import {
  OTA_PACKAGE_ANSWER,
  OTA_PACKAGE_INFO_ANSWER,
  otaPackageInfoJson,
  otaPackageJson,
} from '../json/ota-package-json';
import { pageJson } from '../json/page-json';
import { pageOf } from '../json/schema';
import { EMPTY, jsonAnswer } from '../routing/answer';
import { choiceParameter, pagingParameters, required, textParameter } from '../routing/query-parameters';
import { empty, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER, TENANT_ONLY } from '../routing/route';
import { OTA_PACKAGE_SCHEMA, type OtaPackageBody, packageRequest } from './ota-package-schemas';

const readPackage = bodyWithTextReader<OtaPackageBody>(OTA_PACKAGE_SCHEMA);
const readFile = fileReader('file');

const SORTABLE = ['createdTime', 'type', 'title', 'version', 'tag', 'url', 'fileName', 'dataSize', 'checksum'];
/** Three divides it, so that the pieces' base64 can be put one behind the other. */
const BASE64_PIECE = 98_304;

/** Server contract 8. */
export function otaPackageRoutes({ firmware }: Core): Route[] {
  const { packages, data } = firmware;

  const packageOf = ({ caller, params }: ApiRequest): Promise<OtaPackage> =>
    packages.get(caller.user.tenantId, uuidParameter(params, 'otaPackageId'));

  const save = async ({ caller, body }: ApiRequest): Promise<Reply> =>
    jsonText(otaPackageInfoJson(await packages.save(caller.user.tenantId, packageRequest(await body(readPackage)))));

  const upload = async (request: ApiRequest): Promise<Reply> => {
    const ota = await packageOf(request);
    request.query.requiredText('checksumAlgorithm');
    const algorithm = request.query.choice('checksumAlgorithm', CHECKSUM_ALGORITHMS, 'SHA256');
    data.requireNone(ota);
    const checksum = { algorithm, value: request.query.text('checksum') };
    return jsonText(otaPackageInfoJson(await request.file(readFile, (file) => data.upload(ota, file, checksum))));
  };

  const get = async (request: ApiRequest): Promise<Reply> => {
    const ota = await packageOf(request);
    return jsonText(otaPackageJson(ota, ota.dataId === null ? undefined : dividedByThree(ota)));
  };

  async function* dividedByThree(ota: OtaPackage): AsyncGenerator<Buffer> {
    for (let at = 0; at < (ota.dataSize ?? 0); at += BASE64_PIECE) yield data.slice(ota, at, BASE64_PIECE);
  }

  const download = async (request: ApiRequest): Promise<Reply> => {
    const ota = await packageOf(request);
    if (ota.url) return empty(400);
    const { dataId, dataSize: size } = ota;
    if (dataId === null || size === null) throw new TandemError('NOT_FOUND');
    const about = { size, etag: `"${dataId}"`, name: ota.fileName ?? ota.title, contentType: ota.contentType };
    const { status, headers, start, length } = fileAnswer(about, request.header);
    return { status, headers, ...(length > 0 && { body: data.read(ota, start, length) }) };
  };

  const list = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const paging = pageQuery(query, SORTABLE);
    const page = await packages.list(caller.user.tenantId, paging);
    return jsonText(pageJson(page, page.data.map(otaPackageInfoJson), paging));
  };

  /** Those that can be assigned. */
  const listOfProfile = async ({ caller, params, query }: ApiRequest): Promise<Reply> => {
    const deviceProfileId = uuidParameter(params, 'deviceProfileId');
    const type = PACKAGE_TYPES.find((candidate) => candidate === params.type);
    if (!type) throw new TandemError('BAD_REQUEST', { message: `Parameter 'type' must be one of ${PACKAGE_TYPES}` });
    const paging = pageQuery(query, SORTABLE);
    const page = await packages.list(caller.user.tenantId, { ...paging, deviceProfileId, type, available: true });
    return jsonText(pageJson(page, page.data.map(otaPackageInfoJson), paging));
  };

  const remove = async ({ caller, params }: ApiRequest): Promise<Reply> => {
    await packages.delete(caller.user.tenantId, uuidParameter(params, 'otaPackageId'));
    return empty();
  };

  const both = { authorities: TENANT_AND_CUSTOMER, refusal: 'json' } as const;
  const tenant = { authorities: TENANT_ONLY, refusal: 'json' } as const;
  const PAGE = {
    query: pagingParameters(SORTABLE),
    answer: jsonAnswer(pageOf('OtaPackagePage', OTA_PACKAGE_INFO_ANSWER)),
  };
  return [
    {
      method: 'POST',
      path: '/api/otaPackage',
      summary: 'Create a package, or change what may be changed of one',
      ...tenant,
      body: readPackage,
      answer: INFO,
      handle: save,
    },
    {
      method: 'POST',
      path: '/api/otaPackage/{otaPackageId}',
      summary: 'Upload the file of a package',
      ...tenant,
      query: [
        required(choiceParameter('checksumAlgorithm', CHECKSUM_ALGORITHMS)),
        textParameter('checksum', 'In hex; computed where it is not given'),
      ],
      body: readFile,
      answer: INFO,
      handle: upload,
    },
    {
      method: 'GET',
      path: '/api/otaPackage/info/{otaPackageId}',
      summary: 'A package without its bytes',
      ...both,
      answer: INFO,
      handle: async (request: ApiRequest) => jsonText(otaPackageInfoJson(await packageOf(request))),
    },
    {
      method: 'GET',
      path: '/api/otaPackage/{otaPackageId}',
      summary: 'A package with its bytes in base64',
      ...tenant,
      answer: jsonAnswer(OTA_PACKAGE_ANSWER),
      handle: get,
    },
    {
      method: 'GET',
      path: '/api/otaPackage/{otaPackageId}/download',
      summary: 'The file of a package, or a range of it',
      ...tenant,
      answer: { kind: 'bytes' },
      handle: download,
    },
    { method: 'GET', path: '/api/otaPackages', summary: 'Packages by page', ...both, ...PAGE, handle: list },
    {
      method: 'GET',
      path: '/api/otaPackages/{deviceProfileId}/{type}',
      summary: 'Packages that can be assigned to the devices of a profile',
      ...both,
      ...PAGE,
      handle: listOfProfile,
    },
    {
      method: 'DELETE',
      path: '/api/otaPackage/{otaPackageId}',
      summary: 'Delete a package that is assigned to nobody',
      ...tenant,
      answer: EMPTY,
      handle: remove,
    },
  ];
}

const INFO = jsonAnswer(OTA_PACKAGE_INFO_ANSWER);
