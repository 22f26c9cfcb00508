//! Pipelines and their stages, of deals and of tickets.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{
    call::Call,
    client::Client,
    failure::Failure,
    paths,
    wire::{self, Plain, Results, Text},
};
use crate::domain::{Lane, ObjectType, Pipeline, PipelineId, Stage, StageId};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePipeline {
    id: Text,
    #[serde(default, deserialize_with = "wire::or_default")]
    label: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    display_order: Plain<i64>,
    #[serde(default, deserialize_with = "wire::or_default")]
    archived: Plain<bool>,
    updated_at: Option<Text>,
    #[serde(default, deserialize_with = "wire::or_default")]
    stages: Vec<WireStage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStage {
    id: Text,
    #[serde(default, deserialize_with = "wire::or_default")]
    label: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    display_order: Plain<i64>,
    #[serde(default, deserialize_with = "wire::or_default")]
    archived: Plain<bool>,
    #[serde(default, deserialize_with = "wire::or_default")]
    metadata: Metadata,
}

/// Usually texts, not a number and a flag. Deals' stages have the first two, tickets' the last.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    probability: Option<Text>,
    is_closed: Option<Text>,
    ticket_state: Option<Text>,
}

impl Client {
    /// The live deal pipelines in display order, with their live stages.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn pipelines(&self, lane: Lane) -> Result<Vec<Pipeline>, Failure> {
        self.pipelines_of(lane, ObjectType::Deals).await
    }

    /// The live pipelines of a type in display order, with their live stages.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn pipelines_of(&self, lane: Lane, object: ObjectType) -> Result<Vec<Pipeline>, Failure> {
        let call = Call::get(paths::pipelines(object));
        self.read(lane, call, |response| {
            let answer: Results<WirePipeline> = wire::read(response)?;
            let live = answer.results.into_iter().filter(|pipeline| !pipeline.archived.0);
            let mut pipelines: Vec<Pipeline> = live.map(WirePipeline::into_pipeline).collect();
            pipelines.sort_by(|a, b| (a.order, &a.label, &a.id).cmp(&(b.order, &b.label, &b.id)));
            Ok(pipelines)
        })
        .await
    }

    /// One stage, also an archived one, which no list shows: old records still name it.
    ///
    /// # Errors
    /// [`Failure`] when HubSpot refuses, or after the retries.
    pub async fn stage(
        &self,
        lane: Lane,
        object: ObjectType,
        pipeline: &PipelineId,
        stage: &StageId,
    ) -> Result<Stage, Failure> {
        let call = Call::get(paths::stage(object, pipeline, stage));
        let wire: WireStage = self.read(lane, call, wire::read).await?;
        Ok(wire.into_stage())
    }
}

impl WirePipeline {
    fn into_pipeline(self) -> Pipeline {
        let live = self.stages.into_iter().filter(|stage| !stage.archived.0);
        let mut stages: Vec<Stage> = live.map(WireStage::into_stage).collect();
        stages.sort_by(|a, b| (a.order, &a.label, &a.id).cmp(&(b.order, &b.label, &b.id)));
        Pipeline {
            id: self.id.0.into(),
            label: self.label,
            order: self.display_order.0,
            stages,
            updated_at: wire::time(self.updated_at.as_ref()),
        }
    }
}

impl WireStage {
    fn into_stage(self) -> Stage {
        let probability = self
            .metadata
            .probability
            .and_then(|text| text.0.parse::<Decimal>().ok());
        Stage {
            id: self.id.0.into(),
            label: self.label,
            order: self.display_order.0,
            // Two spellings of the same number must be the same stage: `1.0` is 1.
            probability: probability.unwrap_or_default().normalize(),
            closed: self.metadata.is_closed.is_some_and(|text| text.0 == "true")
                || self.metadata.ticket_state.is_some_and(|text| text.0 == "CLOSED"),
        }
    }
}
