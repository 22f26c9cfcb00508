// Contacts, companies, deals and tickets: one by one, in pages and in batches.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { check, ids, refused, sorted } from './bench.mjs';

const link = (id, type) => ({
  to: { id },
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: type }],
});
const contact = (crm, properties, associations = []) => crm.contacts.basicApi.create({ properties, associations });
const reading = (list, more = {}) => ({
  inputs: list.map((id) => ({ id })),
  properties: ['email'],
  propertiesWithHistory: [],
  ...more,
});

check('records', 'getAll walks every contact once, in order', async (crm, portal) => {
  const truth = (await portal.witness('objects/contacts?archived=false')).map((record) => record.id);
  const got = ids(await crm.contacts.getAll(100, undefined, ['email']));
  ok(got.length > 10_000);
  deepEqual(
    got,
    [...new Set(got)].sort((a, b) => a - b),
  );
  deepEqual(sorted(got), sorted(truth));
});

check('records', 'getAll of deals, companies and tickets agrees with the truth', async (crm, portal) => {
  for (const kind of ['deals', 'companies', 'tickets']) {
    const truth = await portal.witness(`objects/${kind}?archived=false`);
    deepEqual(sorted(ids(await crm[kind].getAll(100))), sorted(ids(truth)), kind);
  }
});

check('records', 'a page has results, a cursor, a link, and asked associations', async (crm) => {
  const page = await crm.deals.basicApi.getPage(20, undefined, ['dealname', 'no_such_thing'], undefined, [
    'contacts',
    'companies',
  ]);
  equal(page.results.length, 20);
  ok(page.paging.next.after && page.paging.next.link.includes('limit=20'));
  const linked = page.results.filter((deal) => deal.associations?.contacts);
  ok(linked.length > 0 && linked[0].associations.contacts.results.some((row) => row.type === 'deal_to_contact'));
  deepEqual(sorted(Object.keys(page.results[0].properties)), [
    'createdate',
    'dealname',
    'hs_lastmodifieddate',
    'hs_object_id',
  ]);
  const next = await crm.deals.basicApi.getPage(20, page.paging.next.after);
  ok(Number(next.results[0].id) > Number(page.results[19].id));
});

check('records', 'times are dates and values are texts', async (crm) => {
  const made = await contact(crm, { email: 'dates@node.example' });
  ok(made.createdAt instanceof Date && Math.abs(Date.now() - made.createdAt) < 600_000, String(made.createdAt));
  const got = await crm.contacts.basicApi.getById(made.id, undefined, ['email']);
  ok(got.createdAt instanceof Date && got.updatedAt instanceof Date && !Number.isNaN(+got.updatedAt));
  equal(got.createdAt.getTime(), Date.parse(got.properties.createdate));
  equal(got.archivedAt, undefined);
  const [entry] = got.propertiesWithHistory.email;
  ok(entry.timestamp instanceof Date && entry.value === 'dates@node.example' && entry.sourceType);
});

check('records', 'a contact is found and updated by its email', async (crm) => {
  const made = await contact(crm, { email: 'ida+1@node.example', firstname: 'Ida' });
  const found = await crm.contacts.basicApi.getById(
    'ida+1@node.example',
    ['firstname'],
    undefined,
    undefined,
    false,
    'email',
  );
  deepEqual([found.id, found.properties.firstname], [made.id, 'Ida']);
  const changed = await crm.contacts.basicApi.update(
    'ida+1@node.example',
    { properties: { firstname: 'Ada' } },
    'email',
  );
  deepEqual([changed.id, changed.properties.firstname], [made.id, 'Ada']);
});

check('records', 'a create with inline associations links both ways', async (crm) => {
  const company = (await crm.companies.basicApi.getPage(1)).results[0];
  const made = await contact(crm, { email: 'link@node.example' }, [link(company.id, 279)]);
  const back = await crm.contacts.basicApi.getById(made.id, undefined, undefined, ['companies']);
  deepEqual([...new Set(ids(back.associations.companies.results))], [company.id]);
  const rows = (await crm.associations.v4.basicApi.getPage('companies', company.id, 'contacts')).results;
  ok(rows.some((row) => String(row.toObjectId) === made.id));
});

check('records', 'archiving hides a record and archived=true shows it', async (crm) => {
  const made = await contact(crm, { email: 'gone@node.example' });
  await crm.contacts.basicApi.archive(made.id);
  await crm.contacts.basicApi.archive(made.id);
  await refused(404, () => crm.contacts.basicApi.getById(made.id));
  const gone = await crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true);
  ok(gone.archived && gone.archivedAt instanceof Date);
  const page = await crm.contacts.basicApi.getPage(100, undefined, undefined, undefined, undefined, true);
  ok(ids(page.results).includes(made.id) && page.results.every((row) => row.archived));
});

check('records', 'companies, deals and tickets live the same life', async (crm) => {
  const deal = { dealname: 'Boat', amount: '1500.00', dealstage: 'appointmentscheduled', pipeline: 'default' };
  const lives = [
    [crm.companies, { name: 'Acme Test', domain: 'acme.example' }],
    [crm.deals, deal],
    [crm.tickets, { subject: 'Leak', hs_pipeline: '0', hs_pipeline_stage: '1' }],
  ];
  for (const [api, properties] of lives) {
    const made = await api.basicApi.create({ properties, associations: [] });
    const first = Object.keys(properties)[0];
    await api.basicApi.update(made.id, { properties: { [first]: 'Renamed' } });
    const read = await api.basicApi.getById(made.id, Object.keys(properties));
    for (const [name, value] of Object.entries({ ...properties, [first]: 'Renamed' }))
      equal(read.properties[name], value);
    await api.basicApi.archive(made.id);
  }
});

check('merge', 'a merge makes a third id and the old ids lead to it', async (crm) => {
  const [kept, lost] = [
    await contact(crm, { email: 'kept@node.example' }),
    await contact(crm, { email: 'lost@node.example' }),
  ];
  const whole = await crm.contacts.basicApi.merge({ primaryObjectId: kept.id, objectIdToMerge: lost.id });
  ok(![kept.id, lost.id].includes(whole.id));
  for (const old of [kept.id, lost.id]) equal((await crm.contacts.basicApi.getById(old)).id, whole.id);
});

check('gdpr', 'a purge removes a contact for good', async (crm) => {
  const made = await contact(crm, { email: 'purge@node.example' });
  await crm.contacts.basicApi.purge({ objectId: made.id });
  await refused(404, () => crm.contacts.basicApi.getById(made.id, undefined, undefined, undefined, true));
});

check('batch', 'a read finds each, by id and by email, and a 207 names the missing', async (crm) => {
  const some = (await crm.contacts.basicApi.getPage(100, undefined, ['email'])).results;
  const whole = await crm.contacts.batchApi.read(reading(ids(some)));
  deepEqual([whole.status, sorted(ids(whole.results))], ['COMPLETE', sorted(ids(some))]);
  ok(whole.startedAt instanceof Date && whole.completedAt instanceof Date);
  const emails = some
    .map((row) => row.properties.email)
    .filter(Boolean)
    .slice(0, 5);
  const found = await crm.contacts.batchApi.read(reading(emails, { idProperty: 'email' }));
  deepEqual(sorted(found.results.map((row) => row.properties.email)), sorted(emails));
  const partly = await crm.contacts.batchApi.read(reading([some[0].id, '99', '98']));
  deepEqual(ids(partly.results), [some[0].id]);
  const [error] = partly.errors;
  deepEqual(
    [partly.numErrors, error.category, sorted(error.context.ids)],
    [partly.errors.length, 'OBJECT_NOT_FOUND', ['98', '99']],
  );
});

check('batch', 'create, update and archive of several', async (crm) => {
  const inputs = [0, 1, 2].map((n) => ({ properties: { email: `batch${n}@node.example` }, associations: [] }));
  const made = (await crm.contacts.batchApi.create({ inputs })).results;
  equal(made.length, 3);
  const updates = [
    ...made.map(({ id }) => ({ id, properties: { lastname: 'Up' } })),
    { id: '97', properties: { lastname: 'Nobody' } },
  ];
  const partly = await crm.contacts.batchApi.update({ inputs: updates });
  deepEqual([partly.results.length, partly.errors[0].context.ids], [3, ['97']]);
  ok(partly.results.every((row) => row.properties.lastname === 'Up' && row.updatedAt instanceof Date));
  await crm.contacts.batchApi.archive({ inputs: made.map(({ id }) => ({ id })) });
  await refused(404, () => crm.contacts.basicApi.getById(made[0].id));
});

check('batch', 'a create is all or nothing, unless every input carries its trace id', async (crm) => {
  await contact(crm, { email: 'taken@node.example' });
  const wanted = ['fresh', 'taken'].map((name) => ({
    properties: { email: `${name}@node.example` },
    associations: [],
  }));
  equal((await refused(409, () => crm.contacts.batchApi.create({ inputs: wanted }))).body.category, 'CONFLICT');
  const traced = wanted.map((input, n) => ({ ...input, objectWriteTraceId: `trace-${n}` }));
  const partly = await crm.contacts.batchApi.create({ inputs: traced });
  deepEqual(
    partly.results.map((row) => row.objectWriteTraceId),
    ['trace-0'],
  );
  deepEqual([partly.errors[0].category, partly.errors[0].context.objectWriteTraceId], ['CONFLICT', ['trace-1']]);
});

check('upsert', 'an upsert by email says what is new', async (crm) => {
  await contact(crm, { email: 'known@node.example' });
  const inputs = ['known', 'novel'].map((name) => ({
    id: `${name}@node.example`,
    idProperty: 'email',
    properties: { firstname: name },
  }));
  const { results } = await crm.contacts.batchApi.upsert({ inputs });
  const news = Object.fromEntries(results.map((row) => [row.properties.firstname, row._new]));
  deepEqual(news, { known: false, novel: true });
});
