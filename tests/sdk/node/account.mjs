// The account around the records: pipelines, owners, property definitions, lists.

import { deepEqual, equal, ok } from 'node:assert/strict';
import { check, ids, refused, sorted } from './bench.mjs';

check('pipelines', 'pipelines and stages', async (crm) => {
  const sales = (await crm.pipelines.pipelinesApi.getAll('deals')).results.find(
    (pipeline) => pipeline.id === 'default',
  );
  const stages = [...sales.stages].sort((a, b) => a.displayOrder - b.displayOrder);
  deepEqual([stages.length, stages[0].id, stages[6].id], [7, 'appointmentscheduled', 'closedlost']);
  deepEqual({ ...stages[5].metadata }, { isClosed: 'true', probability: '1.0' });
  ok(sales.createdAt instanceof Date && stages[0].updatedAt instanceof Date && stages[0].writePermissions);
  equal((await crm.pipelines.pipelinesApi.getById('deals', 'default')).label, sales.label);
  deepEqual(
    sorted(ids((await crm.pipelines.pipelineStagesApi.getAll('deals', 'default')).results)),
    sorted(ids(stages)),
  );
  equal((await crm.pipelines.pipelineStagesApi.getById('deals', 'default', 'closedlost')).metadata.probability, '0.0');
  await refused(404, () => crm.pipelines.pipelinesApi.getById('deals', 'nowhere'));
});

check('pipeline writes', 'a pipeline and a stage are made, changed and removed', async (crm) => {
  const stage = (label, probability, displayOrder) => ({ label, displayOrder, metadata: { probability } });
  const wanted = {
    label: 'Node renewals',
    displayOrder: 6,
    stages: [stage('Begun', '0.5', 0), stage('Won', '1.0', 1)],
  };
  const made = await crm.pipelines.pipelinesApi.create('deals', wanted);
  equal((await crm.pipelines.pipelinesApi.update('deals', made.id, { label: 'Node repeats' })).label, 'Node repeats');
  const late = await crm.pipelines.pipelineStagesApi.create('deals', made.id, stage('Late', '0.8', 2));
  await crm.pipelines.pipelineStagesApi.archive('deals', made.id, late.id);
  equal((await crm.pipelines.pipelineStagesApi.getAll('deals', made.id)).results.length, 2);
  await crm.pipelines.pipelinesApi.archive('deals', made.id);
  await refused(404, () => crm.pipelines.pipelinesApi.getById('deals', made.id));
});

check('owners', 'live and archived owners', async (crm) => {
  const api = crm.owners.ownersApi;
  const live = (await api.getPage(undefined, undefined, 500)).results;
  const page = await api.getPage(undefined, undefined, 2);
  const rest = await api.getPage(undefined, page.paging.next.after, 500);
  deepEqual([...ids(page.results), ...ids(rest.results)], ids(live));
  ok(live[0].createdAt instanceof Date && live[0].type === 'PERSON' && Number.isInteger(live[0].userId));
  deepEqual(ids((await api.getPage(live[0].email)).results), [live[0].id]);
  equal((await api.getById(Number(live[0].id))).email, live[0].email);
  equal((await api.getById(live[0].userId, 'userId')).id, live[0].id);
  const gone = (await api.getPage(undefined, undefined, 500, true)).results;
  ok(gone.length > 0 && gone.every((owner) => owner.archived && owner.userId == null && owner.userIdIncludingInactive));
  equal((await api.getById(Number(gone[0].id), 'id', true)).id, gone[0].id);
});

const definition = (name, more = {}) => ({
  groupName: 'dealinformation',
  name,
  label: name,
  type: 'string',
  fieldType: 'text',
  ...more,
});

check('properties', 'definitions are listed, read, made, and made only once', async (crm) => {
  const api = crm.properties.coreApi;
  ok((await api.getAll('deals')).results.some((row) => row.name === 'amount'));
  const stage = await api.getByName('deals', 'dealstage');
  deepEqual([stage.type, stage.fieldType, stage.createdAt instanceof Date], ['enumeration', 'radio', true]);
  equal((await refused(404, () => api.getByName('deals', 'no_such_thing'))).body.category, 'OBJECT_NOT_FOUND');
  equal((await api.create('deals', definition('node_note'))).hubspotDefined, false);
  const { body } = await refused(409, () => api.create('deals', definition('node_note')));
  deepEqual([body.category, body.subCategory], ['OBJECT_ALREADY_EXISTS', 'Properties.PROPERTY_WITH_NAME_EXISTS']);
});

check('property writes', 'a definition is changed, archived and comes back', async (crm) => {
  const api = crm.properties.coreApi;
  await api.create('deals', definition('node_colour'));
  equal((await api.update('deals', 'node_colour', { label: 'Colour' })).label, 'Colour');
  await api.archive('deals', 'node_colour');
  await refused(404, () => api.getByName('deals', 'node_colour'));
  await api.create('deals', definition('node_colour'));
  equal((await api.getByName('deals', 'node_colour')).archived, false);
  const inputs = [{ name: 'node_colour' }];
  equal((await crm.properties.batchApi.read('deals', { inputs, archived: false })).results[0].name, 'node_colour');
  ok((await crm.properties.groupsApi.getAll('deals')).results.some((group) => group.name === 'dealinformation'));
});

check('lists', 'a list is made, found, filled and emptied', async (crm) => {
  const people = ids((await crm.contacts.basicApi.getPage(3)).results);
  const made = (
    await crm.lists.listsApi.create({ name: 'Node friends', objectTypeId: '0-1', processingType: 'MANUAL' })
  ).list;
  equal((await crm.lists.listsApi.getById(made.listId)).list.name, 'Node friends');
  equal((await crm.lists.listsApi.getByName('Node friends', '0-1')).list.listId, made.listId);
  const found = await crm.lists.listsApi.doSearch({
    query: 'node fri',
    offset: 0,
    count: 20,
    additionalProperties: ['hs_list_size'],
  });
  deepEqual([found.lists.map((list) => list.listId), found.hasMore], [[made.listId], false]);
  deepEqual(sorted((await crm.lists.membershipsApi.add(made.listId, people)).recordsIdsAdded), sorted(people));
  const page = await crm.lists.membershipsApi.getPage(made.listId, undefined, undefined, 2);
  const rest = await crm.lists.membershipsApi.getPage(made.listId, page.paging.next.after, undefined, 2);
  const members = [...page.results, ...rest.results];
  deepEqual(sorted(members.map((row) => row.recordId)), sorted(people));
  ok(members[0].membershipTimestamp instanceof Date);
  const ofOne = (await crm.lists.membershipsApi.getLists('0-1', people[0])).results.map((row) => row.listId);
  ok(ofOne.includes(made.listId), `lists of a record: ${ofOne}`);
  deepEqual(
    (await crm.lists.membershipsApi.remove(made.listId, people.slice(0, 1))).recordIdsRemoved,
    people.slice(0, 1),
  );
});
