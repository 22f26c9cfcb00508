//! Some of the contacts: those of a HubSpot list, or of a segment. Who was among them and is not any more is read as well,
//! since that is news, too.

use std::collections::BTreeSet;

use super::{
    contacts::find_list,
    core::Core,
    once::{Part, SyncOptions, read_type},
    pull::{self, Trouble},
    scopes::Need,
    search::groups,
    words::Words,
};
use crate::{
    domain::{Fault, FaultKind, Lane, List, ObjectCount, ObjectType, Progress, Reading, Segment},
    filter::Plan,
    hubspot::{SearchFilter, SearchQuery},
    store::Via,
};

/// Records of one batch, and of one page of a search.
const BATCH: usize = 100;
const PAGE: u32 = 200;

/// Reads a part. Answers whether all of it was read, and how much.
pub async fn read(
    core: &Core,
    part: &Part,
    options: &SyncOptions,
    progress: &(dyn Fn(Progress) + Sync),
    count: &mut ObjectCount,
) -> Result<bool, Trouble> {
    let mut pass = Pass {
        core,
        options,
        progress,
        count: ObjectCount::default(),
        about: None,
    };
    let complete = pass.part(part).await;
    *count += pass.count;
    match complete? {
        Some(complete) => Ok(complete),
        None => read_type(core, ObjectType::Contacts, options, progress, count).await,
    }
}

struct Pass<'a> {
    core: &'a Core,
    options: &'a SyncOptions,
    progress: &'a (dyn Fn(Progress) + Sync),
    count: ObjectCount,
    /// How many there are to read, when known.
    about: Option<u64>,
}

impl Pass<'_> {
    /// Whether all of it was read; `None` = no search can ask for it, so everybody has to be read.
    async fn part(&mut self, part: &Part) -> Result<Option<bool>, Trouble> {
        let name = match part {
            Part::List(text) => return self.list(text).await.map(Some),
            Part::Segment(name) => name,
        };
        let segment = Segment::find(&self.core.settings.segments, name)?;
        match &segment.list {
            // The list has everybody the filter may pick.
            Some(list) => self.list(list.as_str()).await.map(Some),
            None => self.segment(segment).await,
        }
    }

    /// The members of a list, now and before.
    async fn list(&mut self, text: &str) -> Result<bool, Trouble> {
        let core = self.core;
        let Some(lists) = pull::lists::all(core).await? else {
            let fault = core.scopes.lacking(Need::Lists).unwrap_or_else(|| {
                Fault::new(
                    FaultKind::Auth,
                    "the lists may not be read",
                    "give the token that scope",
                )
            });
            return Err(fault.into());
        };
        let list = find_list(&lists, text)?;
        let ids = self.members(list).await?;
        self.batches(ids).await
    }

    async fn members(&mut self, list: &List) -> Result<Vec<String>, Trouble> {
        let core = self.core;
        let known = async || {
            let id = list.id.clone();
            core.desk.read(move |reader| Ok(reader.mirror.members(&id)?)).await
        };
        let before = known().await?;
        Box::pin(pull::lists::read_anyway(core, list)).await?;
        let all = before.into_iter().chain(known().await?);
        let ids: BTreeSet<String> = all.map(|member| member.record).collect();
        Ok(ids.into_iter().collect())
    }

    /// The contacts of a segment, as far as HubSpot's search understands what it asks; `None` = it does not.
    async fn segment(&mut self, segment: &Segment) -> Result<Option<bool>, Trouble> {
        let core = self.core;
        let (settings, now, name) = (core.settings.clone(), core.now(), segment.name.clone());
        let (plan, groups) = core
            .desk
            .read(move |reader| {
                let words = Words::read(&reader.mirror, &settings, ObjectType::Contacts, now)?;
                let obstacle = words.obstacles.get(&name);
                if let Some(wrong) = obstacle.filter(|fault| fault.kind == FaultKind::Usage) {
                    return Err(wrong.clone());
                }
                if obstacle.is_some() {
                    // Who was in it nobody knows; all contacts are read.
                    return Ok((Plan::Any(Vec::new()), None));
                }
                let plan = words.segments.iter().find(|(known, _)| *known == name);
                let plan = plan.map_or(Plan::Any(Vec::new()), |(_, plan)| plan.clone());
                let groups = groups(&plan, &words.context());
                Ok((plan, groups))
            })
            .await?;
        let Some(groups) = groups else { return Ok(None) };
        let before = core
            .desk
            .count(move |reader| Ok(reader.mirror.matching_contacts(&plan)?))
            .await?;
        self.search(groups, before).await
    }

    async fn search(
        &mut self,
        filter_groups: Vec<Vec<SearchFilter>>,
        before: Vec<String>,
    ) -> Result<Option<bool>, Trouble> {
        let (core, object) = (self.core, ObjectType::Contacts);
        let query = SearchQuery {
            filter_groups,
            properties: pull::properties_of(core, object),
            limit: self.at_most(self.options.page.unwrap_or(PAGE)),
            ..SearchQuery::default()
        };
        // More conditions than a search takes.
        let Ok(mut walk) = core.client.search_all(Lane::Sync, object, query) else {
            return Ok(None);
        };
        let mut found = BTreeSet::new();
        while let Some(records) = walk.next().await? {
            found.extend(records.iter().map(|record| record.id.clone()));
            self.about = walk.total();
            self.count.pages += 1;
            self.count.fetched += records.len() as u64;
            pull::arrive(core, object, records, Via::Search, Vec::new()).await?;
            self.tell();
            if self.is_enough() {
                return Ok(Some(false));
            }
        }
        let left: Vec<String> = before.into_iter().filter(|id| !found.contains(id)).collect();
        self.batches(left).await.map(Some)
    }

    /// These contacts as they are now; those that are nowhere any more leave the mirror.
    async fn batches(&mut self, ids: Vec<String>) -> Result<bool, Trouble> {
        let (core, object) = (self.core, ObjectType::Contacts);
        let size = self.options.page.map_or(BATCH, |page| page as usize).clamp(1, BATCH);
        self.about = Some(self.count.fetched + ids.len() as u64);
        let mut left = ids.as_slice();
        while !left.is_empty() {
            if self.is_enough() {
                return Ok(false);
            }
            let (chunk, rest) = left.split_at(left.len().min(self.at_most(size as u32) as usize));
            left = rest;
            let asked = pull::ask(core, object, chunk).await?;
            self.count.pages += 1;
            self.count.fetched += asked.there.len() as u64;
            pull::arrive(core, object, asked.there, Via::Direct, Vec::new()).await?;
            self.count.deleted += pull::vanished(core, object, asked.gone).await?;
            self.tell();
        }
        Ok(true)
    }

    /// A page, or what is still wanted if that is less.
    fn at_most(&self, page: u32) -> u32 {
        let left = self.options.max.map(|max| max.saturating_sub(self.count.fetched));
        left.and_then(|left| u32::try_from(left).ok())
            .map_or(page, |left| left.clamp(1, page))
    }

    fn is_enough(&self) -> bool {
        self.options.max.is_some_and(|max| self.count.fetched >= max)
    }

    fn tell(&self) {
        (self.progress)(Progress {
            what: Reading::Records(ObjectType::Contacts),
            fetched: self.count.fetched,
            pages: self.count.pages,
            about: self.about,
        });
    }
}
