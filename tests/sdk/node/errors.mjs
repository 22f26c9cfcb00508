// How refusals reach a user of the SDK, its own retries, and the date versions through `apiRequest`.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { check, ids, Portal, refused } from './bench.mjs';

const SEEK = { filterGroups: [], limit: 1, properties: [], sorts: [], after: '0' };

check('errors', '401 for a second client with a wrong token, with its category', async (crm, portal) => {
  const wrong = portal.client({ accessToken: 'pat-na1-00000000-0000-0000-0000-000000000000' }).crm;
  const { body } = await refused(401, () => wrong.contacts.basicApi.getPage(1));
  equal(body.category, 'EXPIRED_AUTHENTICATION');
  equal((await crm.contacts.basicApi.getPage(1)).results.length, 1, 'the first client still works');
});

check('errors', '403, 404, 409 and 400 say what they are', async (crm, portal) => {
  const api = crm.contacts.basicApi;
  await portal.witness('faults', { faults: '403=1' });
  equal((await refused(403, () => api.getPage(1))).body.category, 'MISSING_SCOPES');
  equal((await refused(404, () => api.getById('93'))).body.message, 'resource not found');
  equal((await refused(404, () => api.getById('abc'))).body.category, 'OBJECT_NOT_FOUND');
  const once = { properties: { email: 'once@node.example' }, associations: [] };
  const made = await api.create(once);
  const conflict = (await refused(409, () => api.create(once))).body;
  deepEqual([conflict.category, conflict.message], ['CONFLICT', `Contact already exists. Existing ID: ${made.id}`]);
  const bad = { dealname: 'Bad', nonsense: '1', hs_priority: 'huge' };
  const { body } = await refused(400, () => crm.deals.basicApi.create({ properties: bad, associations: [] }));
  const codes = Object.fromEntries(body.errors.map((error) => [error.context.propertyName[0], error.code]));
  deepEqual(
    [body.category, codes],
    ['VALIDATION_ERROR', { nonsense: 'PROPERTY_DOESNT_EXIST', hs_priority: 'INVALID_OPTION' }],
  );
});

check('limits', "429 of the window and of search, and the SDK's retries get past both", async () => {
  const narrow = await Portal.open(
    '--contacts',
    '50',
    '--limit',
    '4/10s',
    '--search-limit',
    '2/1s',
    '--index-lag',
    '0s..0s',
  );
  try {
    const patient = narrow.client({ numberOfApiCallRetries: 3 }).crm.contacts;
    const once = narrow.client().crm.contacts;
    for (let n = 0; n < 4; n += 1) await once.basicApi.getPage(1);
    const { body } = await refused(429, () => once.basicApi.getPage(1));
    deepEqual([body.errorType, body.policyName], ['RATE_LIMIT', 'TEN_SECONDLY_ROLLING']);
    for (let n = 0; n < 2; n += 1) await once.searchApi.doSearch(SEEK);
    const search = (await refused(429, () => once.searchApi.doSearch(SEEK))).body;
    deepEqual([search.message, search.policyName], ['You have reached your secondly limit.', 'SECONDLY']);
    for (let n = 0; n < 4; n += 1) equal((await patient.searchApi.doSearch(SEEK)).results.length, 1);
    equal((await patient.basicApi.getPage(1)).results.length, 1);
    const [{ refused: count }] = await narrow.witness('stats');
    ok(count >= 4, `${count} refusals`);
  } finally {
    narrow.close();
  }
});

check('limits', "the SDK's retries get past a server error", async (crm, portal) => {
  const patient = portal.client({ numberOfApiCallRetries: 3 }).crm.contacts;
  const plain = portal.client().crm.contacts;
  await portal.witness('faults', { faults: '500=1,502=1' });
  await refused(500, () => plain.basicApi.getPage(1));
  equal((await patient.basicApi.getPage(1)).results.length, 1);
});

check('dated', 'the date versions answer through apiRequest', async (crm, portal) => {
  const client = portal.client();
  const ask = async (method, path, status, body) => {
    const answer = await client.apiRequest({ method, path, body });
    equal(answer.status, status, path);
    return status === 204 ? undefined : answer.json();
  };
  for (const version of ['2026-03', '2026-09']) {
    const path = `/crm/objects/${version}/contacts`;
    const made = await ask('POST', path, 201, { properties: { email: `d${version}@node.example` } });
    equal(
      (await ask('PATCH', `${path}/${made.id}`, 200, { properties: { lastname: 'Dated' } })).properties.lastname,
      'Dated',
    );
    deepEqual(ids((await ask('POST', `${path}/search`, 200, { query: `d${version}@node.example` })).results), [
      made.id,
    ]);
    ok((await ask('GET', `${path}?limit=2`, 200)).paging.next.after);
    await ask('DELETE', `${path}/${made.id}`, 204);
    ok((await ask('GET', `/crm/associations/${version}/deals/contacts/labels`, 200)).results.length > 1);
    ok((await ask('GET', `/crm/pipelines/${version}/deals`, 200)).results[0].stages.length);
    ok((await ask('GET', `/crm/owners/${version}`, 200)).results.length);
    ok((await ask('GET', `/crm/properties/${version}/deals`, 200)).results.length);
    equal((await ask('GET', `/account-info/${version}/details`, 200)).portalId, portal.portal_id);
  }
});
