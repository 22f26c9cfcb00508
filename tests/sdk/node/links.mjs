// Associations and activities.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { check, ids, refused, sorted } from './bench.mjs';

const NOON = '2026-11-20T12:00:00Z';
const spec = (associationTypeId, associationCategory = 'HUBSPOT_DEFINED') => ({
  associationCategory,
  associationTypeId,
});
const deal = async (crm) =>
  (await crm.deals.basicApi.create({ properties: { dealname: 'Linked', dealstage: 'contractsent' }, associations: [] }))
    .id;
const person = async (crm, name) =>
  (await crm.contacts.basicApi.create({ properties: { email: `${name}@nodelinks.example` }, associations: [] })).id;

// The contacts of a deal: id → association type ids.
async function linked(crm, record) {
  const { results } = await crm.associations.v4.basicApi.getPage('deals', record, 'contacts');
  return Object.fromEntries(
    results.map((row) => [row.toObjectId, sorted(row.associationTypes.map((type) => type.typeId))]),
  );
}

check('associations', 'a labelled link is made, read, replaced and removed', async (crm) => {
  const api = crm.associations.v4.basicApi;
  const [ann, one] = [await person(crm, 'ann'), await deal(crm)];
  const labels = (await crm.associations.v4.schema.definitionsApi.getAll('deals', 'contacts')).results;
  const own = labels.filter((label) => label.category === 'USER_DEFINED');
  const made = await api.create('deals', one, 'contacts', ann, [spec(own[0].typeId, 'USER_DEFINED')]);
  deepEqual([String(made.fromObjectId), String(made.toObjectId), made.labels], [one, ann, [own[0].label]]);
  deepEqual(await linked(crm, one), { [ann]: sorted([3, own[0].typeId]) });
  await api.create('deals', one, 'contacts', ann, [spec(own[1].typeId, 'USER_DEFINED')]);
  deepEqual(await linked(crm, one), { [ann]: sorted([3, own[1].typeId]) });
  await api.archive('deals', one, 'contacts', ann);
  deepEqual(await linked(crm, one), {});
});

check('associations', 'default links, of one record and in a batch', async (crm) => {
  const [ben, cleo, one] = [await person(crm, 'ben'), await person(crm, 'cleo'), await deal(crm)];
  const single = await crm.associations.v4.basicApi.createDefault('deals', one, 'contacts', ben);
  ok(single.completedAt instanceof Date);
  const batch = await crm.associations.v4.batchApi.createDefault('deals', 'contacts', {
    inputs: [{ _from: { id: one }, to: { id: cleo } }],
  });
  for (const [answer, other] of [
    [single, ben],
    [batch, cleo],
  ]) {
    const row = answer.results.find((row) => row._from.id === one);
    deepEqual([row.to.id, row.associationSpec.associationTypeId], [other, 3]);
  }
  deepEqual(await linked(crm, one), { [ben]: [3], [cleo]: [3] });
});

check('associations', 'batches make, read, unlabel and remove; a 207 names the record without links', async (crm) => {
  const api = crm.associations.v4.batchApi;
  const [dan, one, bare] = [await person(crm, 'dan'), await deal(crm), await deal(crm)];
  const labels = (await crm.associations.v4.schema.definitionsApi.getAll('deals', 'contacts')).results;
  const label = labels.find((row) => row.category === 'USER_DEFINED');
  const input = { _from: { id: one }, to: { id: dan }, types: [spec(label.typeId, 'USER_DEFINED')] };
  deepEqual(
    (await api.create('deals', 'contacts', { inputs: [input] })).results.map((row) => String(row.toObjectId)),
    [dan],
  );
  const read = await api.getPage('deals', 'contacts', { inputs: [{ id: one }, { id: bare }] });
  deepEqual(
    read.results.map((row) => [row._from.id, row.to.map((to) => String(to.toObjectId))]),
    [[one, [dan]]],
  );
  equal(read.errors[0].subCategory, 'crm.associations.NO_ASSOCIATIONS_FOUND');
  deepEqual(read.errors[0].context.fromObjectId, [bare]);
  await api.archiveLabels('deals', 'contacts', { inputs: [input] });
  deepEqual(await linked(crm, one), { [dan]: [3] });
  await api.archive('deals', 'contacts', { inputs: [{ _from: { id: one }, to: [{ id: dan }] }] });
  deepEqual(await linked(crm, one), {});
});

check('associations', 'what cannot be linked is refused', async (crm) => {
  const [eve, one] = [await person(crm, 'eve'), await deal(crm)];
  await refused(400, () => crm.associations.v4.basicApi.create('deals', one, 'contacts', eve, [spec(279)]));
  await refused(404, () => crm.associations.v4.basicApi.createDefault('deals', one, 'contacts', '95'));
});

check('associations v3', 'v3 batches make, read and remove links by their names', async (crm) => {
  const [fay, one] = [await person(crm, 'fay'), await deal(crm)];
  const types = (await crm.associations.schema.typesApi.getAll('deals', 'contacts')).results;
  ok(types.some((type) => type.id === '3' && type.name === 'deal_to_contact'));
  const inputs = [{ _from: { id: one }, to: { id: fay }, type: 'deal_to_contact' }];
  const made = await crm.associations.batchApi.create('deals', 'contacts', { inputs });
  deepEqual([made.results[0]._from.id, made.results[0].to.id, made.results[0].type], [one, fay, 'deal_to_contact']);
  const read = await crm.associations.batchApi.read('deals', 'contacts', { inputs: [{ id: one }] });
  deepEqual([...new Set(ids(read.results[0].to))], [fay]);
  await crm.associations.batchApi.archive('deals', 'contacts', { inputs });
  deepEqual(await linked(crm, one), {});
});

check('activities', 'a note on a deal is one call and reads back', async (crm) => {
  const one = await deal(crm);
  const properties = { hs_timestamp: NOON, hs_note_body: '<p>Called &amp; promised</p>' };
  const made = await crm.objects.notes.basicApi.create({
    properties,
    associations: [{ to: { id: one }, types: [spec(214)] }],
  });
  const note = await crm.objects.notes.basicApi.getById(made.id, Object.keys(properties), undefined, ['deals']);
  deepEqual([note.properties.hs_note_body, note.properties.hs_timestamp], [properties.hs_note_body, NOON]);
  deepEqual([...new Set(ids(note.associations.deals.results))], [one]);
  const held = await crm.deals.basicApi.getById(one, undefined, undefined, ['notes']);
  deepEqual([...new Set(ids(held.associations.notes.results))], [made.id]);
  await crm.objects.notes.basicApi.archive(made.id);
  await refused(404, () => crm.objects.notes.basicApi.getById(made.id));
});

check('activities', 'tasks, calls, emails and meetings are made, read and found', async (crm) => {
  const one = await deal(crm);
  const kinds = [
    [
      'tasks',
      216,
      { hs_task_subject: 'Ring', hs_task_status: 'NOT_STARTED', hs_task_priority: 'HIGH', hs_task_type: 'CALL' },
    ],
    [
      'calls',
      206,
      { hs_call_title: 'Rang', hs_call_duration: '90000', hs_call_direction: 'OUTBOUND', hs_call_status: 'COMPLETED' },
    ],
    [
      'emails',
      210,
      { hs_email_direction: 'EMAIL', hs_email_subject: 'Hello', hs_email_text: 'Hi', hs_email_status: 'SENT' },
    ],
    [
      'meetings',
      212,
      { hs_meeting_title: 'Meet', hs_meeting_start_time: NOON, hs_meeting_end_time: '2026-11-20T13:00:00Z' },
    ],
  ];
  for (const [kind, type, more] of kinds) {
    const [api, properties] = [crm.objects[kind], { hs_timestamp: NOON, ...more }];
    const made = await api.basicApi.create({ properties, associations: [{ to: { id: one }, types: [spec(type)] }] });
    const got = await api.basicApi.getById(made.id, Object.keys(properties), undefined, ['deals']);
    for (const [name, value] of Object.entries(properties)) equal(got.properties[name], value, name);
    deepEqual([...new Set(ids(got.associations.deals.results))], [one], kind);
    const filters = [{ propertyName: 'associations.deal', operator: 'EQ', value: one }];
    const search = { filterGroups: [{ filters }], limit: 10, properties: [], sorts: [], after: '0' };
    deepEqual(ids((await api.searchApi.doSearch(search)).results), [made.id], kind);
  }
  await refused(400, () =>
    crm.objects.notes.basicApi.create({ properties: { hs_note_body: 'when?' }, associations: [] }),
  );
});
