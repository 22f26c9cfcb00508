//! Pipelines and stages. Whether a stage is won, lost or open is read from its metadata, never from its id or label.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{PipelineId, StageId};

/// What a stage means for the forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// In play.
    Open,
    /// Closed with probability 1.
    Won,
    /// Closed with any other probability.
    Lost,
}

/// One stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its id.
    pub id: StageId,
    /// Its label.
    pub label: String,
    /// Position; may have gaps and ties.
    pub order: i64,
    /// Default probability of its deals, 0 to 1.
    pub probability: Decimal,
    /// `metadata.isClosed`.
    pub closed: bool,
}

impl Stage {
    /// Open, won or lost.
    #[must_use]
    pub fn kind(&self) -> StageKind {
        match (self.closed, self.probability == Decimal::ONE) {
            (false, _) => StageKind::Open,
            (true, true) => StageKind::Won,
            (true, false) => StageKind::Lost,
        }
    }
}

/// A deal pipeline with its live stages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// Its label.
    pub label: String,
    /// Position among the pipelines.
    pub order: i64,
    /// Stages by `order`, then label.
    pub stages: Vec<Stage>,
    /// When it was last edited, where HubSpot says so.
    pub updated_at: Option<Timestamp>,
}

impl Pipeline {
    /// The stage with this id.
    #[must_use]
    pub fn stage(&self, id: &StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == *id)
    }

    /// The stage's position, 0 first.
    #[must_use]
    pub fn position(&self, id: &StageId) -> Option<usize> {
        self.stages.iter().position(|stage| stage.id == *id)
    }
}

/// A stage with the pipeline it belongs to, wherever it is.
#[must_use]
pub fn stage_of<'a>(pipelines: &'a [Pipeline], id: &StageId) -> Option<(&'a Pipeline, &'a Stage)> {
    pipelines
        .iter()
        .find_map(|pipeline| pipeline.stage(id).map(|stage| (pipeline, stage)))
}

/// Why a text names no stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageLookup {
    /// Nothing begins like that; the labels that exist.
    Unknown(Vec<String>),
    /// Several labels begin like that.
    Ambiguous(Vec<String>),
}

/// Finds a stage by id, label or unique beginning of its label or id, case ignored.
///
/// # Errors
/// [`StageLookup`] with the labels to offer.
pub fn find_stage<'a>(pipeline: &'a Pipeline, text: &str) -> Result<&'a Stage, StageLookup> {
    let wanted = text.trim().to_lowercase();
    let is = |stage: &&Stage| stage.id.as_str().to_lowercase() == wanted || stage.label.to_lowercase() == wanted;
    if let Some(stage) = pipeline.stages.iter().find(is) {
        return Ok(stage);
    }
    let begins = |stage: &&Stage| {
        stage.label.to_lowercase().starts_with(&wanted) || stage.id.as_str().to_lowercase().starts_with(&wanted)
    };
    let hits: Vec<&Stage> = pipeline
        .stages
        .iter()
        .filter(|stage| !wanted.is_empty() && begins(stage))
        .collect();
    match hits.as_slice() {
        [one] => Ok(one),
        [] => Err(StageLookup::Unknown(
            pipeline.stages.iter().map(|stage| stage.label.clone()).collect(),
        )),
        several => Err(StageLookup::Ambiguous(
            several.iter().map(|stage| stage.label.clone()).collect(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline() -> Pipeline {
        let stage = |id: &str, label: &str, probability: &str, closed| Stage {
            id: id.into(),
            label: label.into(),
            order: 0,
            probability: probability.parse().unwrap(),
            closed,
        };
        Pipeline {
            id: "default".into(),
            label: "Sales Pipeline".into(),
            order: 0,
            updated_at: None,
            stages: vec![
                stage("qualifiedtobuy", "Qualified To Buy", "0.4", false),
                stage("77", "Contract Sent", "0.9", false),
                stage("closedwon", "Closed Won", "1.0", true),
                stage("closedlost", "Closed Lost", "0", true),
            ],
        }
    }

    #[test]
    fn a_stage_is_found_by_id_label_or_unique_beginning() {
        let pipeline = pipeline();
        for text in ["77", "contract sent", "CON", "Contract"] {
            assert_eq!(find_stage(&pipeline, text).unwrap().id.as_str(), "77", "{text}");
        }
        assert_eq!(
            find_stage(&pipeline, "closed"),
            Err(StageLookup::Ambiguous(vec!["Closed Won".into(), "Closed Lost".into()]))
        );
        assert!(matches!(find_stage(&pipeline, "nowhere"), Err(StageLookup::Unknown(all)) if all.len() == 4));
        assert!(matches!(find_stage(&pipeline, ""), Err(StageLookup::Unknown(_))));
    }

    #[test]
    fn kind_comes_from_metadata_not_from_the_id() {
        let mut pipeline = pipeline();
        assert_eq!(pipeline.stages[2].kind(), StageKind::Won);
        assert_eq!(pipeline.stages[3].kind(), StageKind::Lost);
        pipeline.stages[2].closed = false;
        assert_eq!(pipeline.stages[2].kind(), StageKind::Open);
    }
}
