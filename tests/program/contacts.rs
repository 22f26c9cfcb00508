//! Contacts and segments in a shell: what is listed is the portal's truth, whatever it is cut into, and a part of it can be
//! read alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Output,
};

use serde_json::{Value, json};

use super::commands::{Shell, expect, said};

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The key that a remark names.
fn key(output: &Output) -> Option<String> {
    let said = said(output);
    let (_, key) = said.split_once("--after ")?;
    Some(key.trim().to_owned())
}

fn truth(shell: &Shell) -> BTreeMap<String, Value> {
    let contacts = shell.portal().objects("contacts").into_iter();
    contacts
        .map(|contact| {
            (
                contact["id"].as_str().unwrap().to_owned(),
                contact["properties"].clone(),
            )
        })
        .collect()
}

#[test]
fn s2_2_a_contact_is_the_portals_truth_with_its_lists_and_segments() {
    let shell = Shell::on(&["--seed", "7", "--deals", "10", "--contacts", "1500"]);
    let output = shell.run(&["contacts", "list"], 0);
    assert!(said(&output).contains("run 'dealdeck sync'"), "{output:?}");
    let report = shell.json(&["sync", "--format", "json"]);
    let listed = lines(&shell.run(&["contacts", "list", "--limit", "0", "--format", "jsonl"], 0));
    let truth = truth(&shell);
    assert_eq!(listed.len(), truth.len());
    let mut by_segment: BTreeMap<&str, u64> = BTreeMap::new();
    let mut in_lists: BTreeMap<&str, u64> = BTreeMap::new();
    for contact in &listed {
        let truth = &truth[contact["id"].as_str().unwrap()];
        let names = [
            ("email", "email"),
            ("first_name", "firstname"),
            ("last_name", "lastname"),
            ("company", "company"),
            ("phone", "phone"),
            ("job_title", "jobtitle"),
            ("lifecycle_stage", "lifecyclestage"),
        ];
        for (ours, theirs) in names {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            assert_eq!(text(&contact[ours]), text(&truth[theirs]), "{theirs} of {contact}");
        }
        let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(time(&contact["updated_at"]), time(&truth["lastmodifieddate"]));
        assert!(time(&contact["synced_at"]) >= time(&contact["updated_at"]));
        for segment in contact["segments"].as_array().unwrap() {
            *by_segment.entry(segment.as_str().unwrap()).or_default() += 1;
        }
        for list in contact["lists"].as_array().unwrap() {
            *in_lists.entry(list.as_str().unwrap()).or_default() += 1;
        }
    }
    for (segment, count) in report["by_segment"].as_object().unwrap() {
        let counted = by_segment.get(segment.as_str()).copied().unwrap_or_default();
        assert_eq!(count.as_u64(), Some(counted), "{segment}");
    }
    let all = shell.json(&["segments", "list", "--format", "json"]);
    let names: Vec<&str> = all["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["engaged", "cold", "high_value", "chainge"]);
    for list in all["lists"].as_array().unwrap() {
        let members = in_lists.get(list["id"].as_str().unwrap()).copied().unwrap_or_default();
        assert_eq!(list["members"].as_u64(), Some(members), "{list}");
        let one = shell.run(
            &[
                "contacts",
                "list",
                "--list",
                list["name"].as_str().unwrap(),
                "--limit",
                "0",
                "--format",
                "jsonl",
            ],
            0,
        );
        assert_eq!(lines(&one).len() as u64, members, "{list}");
    }
    assert!(in_lists.values().any(|members| *members > 0));
}

#[test]
fn s2_5_pages_by_key_and_by_offset_are_the_whole_list_in_every_format() {
    let shell = Shell::on(&["--seed", "7", "--deals", "5", "--contacts", "2300"]);
    shell.run(&["sync", "--only", "contacts"], 0);
    let filter = ["contacts", "list", "--filter", "-segment:cold", "--sort", "-updated"];
    let list = |more: &[&str]| shell.run(&[&filter[..], more].concat(), 0);
    let whole = ids(&lines(&list(&["--limit", "0", "--format", "jsonl"])));
    assert!(whole.len() > 250, "{}", whole.len());
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let mut more = vec!["--format", "json", "--limit", "77"];
        more.extend(after.as_deref().map(|key| ["--after", key]).iter().flatten());
        let output = list(&more);
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        paged.extend(ids(&rows));
        after = key(&output);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    let skipped = ids(&lines(&list(&[
        "--offset", "100", "--limit", "50", "--format", "jsonl",
    ])));
    assert_eq!(skipped, whole[100..150]);
    // More than one inner page is still one document.
    let all = shell.run(&["contacts", "list", "--limit", "0", "--format", "json"], 0);
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&all.stdout).unwrap().len(), 2_300);
    assert_eq!(key(&all), None);
    let csv = shell.run(&["contacts", "list", "--limit", "0", "--format", "csv"], 0);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert_eq!(csv.matches("id,email,").count(), 1, "one head");
    let exact = shell.run(&["contacts", "list", "--limit", "2300", "--format", "jsonl"], 0);
    assert_eq!(
        (lines(&exact).len(), key(&exact)),
        (2_300, None),
        "nothing follows the last one"
    );
    let none = shell.run(&["contacts", "list", "--filter", "email:zzz", "--format", "json"], 0);
    assert_eq!(none.stdout, b"[]\n");
    let output = shell.run(&["contacts", "list", "--sort", "name", "--after", "nonsense"], 2);
    assert!(said(&output).contains("'nonsense'"), "{output:?}");
}

#[test]
fn slips_name_what_was_meant() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "60"]);
    shell.run(&["sync"], 0);
    for (arguments, code, part) in [
        (
            vec!["contacts", "list", "--filter", "updated<30d segment:engagd"],
            2,
            "column 21: no segment is called 'engagd'; the nearest one is 'engaged'",
        ),
        (vec!["contacts", "list", "--filter", "compny~x"], 2, "'company'"),
        (
            vec!["contacts", "list", "--segment", "colt"],
            2,
            "the nearest one is 'cold'",
        ),
        (
            vec!["contacts", "list", "--list", "nowhere"],
            2,
            "there is no list 'nowhere'; the nearest one is",
        ),
        (vec!["contacts", "list", "--sort", "size"], 2, "use one of: id, name"),
        (
            vec!["contacts", "list", "--properties", "jobtitel"],
            2,
            "the nearest one is 'jobtitle'",
        ),
        (
            vec!["contacts", "list", "--filter", "-city:Oslo"],
            2,
            "the property 'city' is not mirrored: contacts are read without it; add it to 'mirror.contact_properties'",
        ),
        (
            vec!["contacts", "list", "--properties", "email,city"],
            2,
            "the property 'city' is not mirrored",
        ),
        (
            vec!["contacts", "get", "1", "--properties", "city"],
            2,
            "the property 'city' is not mirrored",
        ),
        (
            vec!["deals", "list", "--filter", "description~x"],
            2,
            "the property 'description' is not mirrored: deals are read without it; add it to 'mirror.deal_properties'",
        ),
        (vec!["contacts", "get", "1"], 3, "there is no contact '1'"),
        (vec!["segments", "show", "high valu"], 0, ""),
        (vec!["segments", "show", "low"], 2, "'low' is no segment"),
        (vec!["sync", "--segment", "engagd"], 2, "the nearest one is 'engaged'"),
        (vec!["sync", "--list", "nowhere"], 2, "there is no list 'nowhere'"),
        (vec!["sync", "--batch-size", "101"], 2, "101"),
    ] {
        let output = shell.run(&arguments, code);
        assert!(said(&output).contains(part), "{arguments:?}: {output:?}");
    }
    let file = shell.dir.path().join("config.toml");
    fs::write(&file, "[segments.mine]\nfilter = \"segment:cold\"\n").unwrap();
    let output = shell.run(&["segments", "list", "--config", &file.to_string_lossy()], 2);
    let said = said(&output);
    assert!(
        said.contains(":2:") && said.contains("may not refer to segments"),
        "{said}"
    );
}

#[test]
fn one_contact_is_found_by_id_and_by_address_with_the_properties_that_were_asked_for() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "60"]);
    shell.run(&["sync"], 0);
    let all = lines(&shell.run(&["contacts", "list", "--format", "jsonl", "--filter", "-email:none"], 0));
    let (id, email) = (all[3]["id"].as_str().unwrap(), all[3]["email"].as_str().unwrap());
    let by_id = shell.json(&["contacts", "get", id, "--format", "json"]);
    let by_email = shell.json(&["contacts", "get", &email.to_uppercase(), "--format", "json"]);
    assert_eq!((&by_id, &by_email), (&all[3], &all[3]));
    let few = shell.json(&[
        "contacts",
        "get",
        id,
        "--properties",
        "email,lastname",
        "--format",
        "json",
    ]);
    assert_eq!(
        few["properties"],
        json!({"email": email, "lastname": all[3]["last_name"]})
    );
    let table = shell.run(&["contacts", "list", "--properties", "jobtitle", "--limit", "2"], 0);
    assert!(
        String::from_utf8(table.stdout)
            .unwrap()
            .lines()
            .next()
            .unwrap()
            .ends_with("jobtitle")
    );
}

#[test]
fn s2_5_clearing_removes_contacts_here_only_and_the_next_sync_reads_them_again() {
    let shell = Shell::on(&["--deals", "20", "--contacts", "120"]);
    shell.run(&["sync"], 0);
    let (deal, _) = shell.portal().open_deal();
    shell.run(&["note", "add", "--deal", &deal, "kept", "--no-wait"], 0);
    let output = shell.run(&["contacts", "clear"], 2);
    assert!(
        said(&output).contains("add --yes") && said(&output).contains("120 contacts"),
        "{output:?}"
    );
    assert_eq!(
        shell.json(&["contacts", "clear", "--yes", "--format", "json"]),
        json!({"cleared": 120})
    );
    let none = shell.run(&["contacts", "list", "--format", "json"], 0);
    assert_eq!(none.stdout, b"[]\n");
    let all = shell.json(&["segments", "list", "--format", "json"]);
    assert_eq!(all["lists"], json!([]));
    assert!(
        all["segments"]
            .as_array()
            .unwrap()
            .iter()
            .all(|segment| segment["count"].is_null())
    );
    assert_eq!(lines(&shell.run(&["deals", "list", "--format", "jsonl"], 0)).len(), 20);
    assert_eq!(
        lines(&shell.run(&["outbox", "list", "--format", "jsonl"], 0)).len(),
        1,
        "what waits stays"
    );
    assert_eq!(shell.portal().objects("contacts").len(), 120, "HubSpot keeps them");
    let report = shell.json(&["sync", "--format", "json"]);
    assert_eq!(report["objects"]["contacts"]["fetched"], 120);
    assert_eq!(report["pushed"]["done"], 1);
    assert_eq!(
        lines(&shell.run(&["contacts", "list", "--limit", "0", "--format", "jsonl"], 0)).len(),
        120
    );
}

#[test]
fn s2_6_a_list_or_a_segment_is_read_alone_and_who_left_it_is_read_too() {
    let shell = Shell::on(&["--seed", "7", "--deals", "5", "--contacts", "900", "--index-lag", "0ms"]);
    shell.run(&["sync", "--only", "deals"], 0);
    let truth = truth(&shell);
    // Nothing is known yet: the list's name is HubSpot's to tell.
    let slip = shell.run(&["sync", "--list", "nowhere"], 2);
    let named = said(&slip);
    let list = named
        .split("nearest one is '")
        .nth(1)
        .and_then(|rest| rest.split('\'').next())
        .unwrap();
    let report = shell.json(&["sync", "--list", list, "--batch-size", "50", "--format", "json"]);
    let fetched = report["objects"]["contacts"]["fetched"].as_u64().unwrap();
    let members = lines(&shell.run(
        &["contacts", "list", "--list", list, "--limit", "0", "--format", "jsonl"],
        0,
    ));
    assert!(
        fetched > 0 && fetched < 900 && members.len() as u64 == fetched,
        "{report}"
    );
    assert_eq!(report["objects"]["contacts"]["pages"], fetched.div_ceil(50));

    let stage = |id: &str, stage: &str| shell.portal().edit_contact(id, "lifecyclestage", stage);
    let valued = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
    let high: BTreeSet<String> = truth
        .iter()
        .filter(|(_, truth)| {
            ["customer", "evangelist", "opportunity"].contains(&truth["lifecyclestage"].as_str().unwrap())
        })
        .map(|(id, _)| id.clone())
        .collect();
    let listed = || -> BTreeSet<String> {
        let output = shell.run(
            &[
                "contacts",
                "list",
                "--segment",
                "high_value",
                "--limit",
                "0",
                "--format",
                "jsonl",
            ],
            0,
        );
        ids(&lines(&output)).into_iter().collect()
    };
    let report = shell.json(&["sync", "--segment", "high", "--format", "json"]);
    assert_eq!(listed(), high, "{report}");
    assert_eq!(report["by_segment"]["high_value"].as_u64(), Some(high.len() as u64));
    let (left, joined) = (
        high.iter().next().unwrap(),
        truth
            .iter()
            .find_map(|(id, truth)| (truth["lifecyclestage"] == "lead").then_some(id))
            .unwrap(),
    );
    // A stage only goes forward, but it can be taken away.
    stage(left, "");
    stage(joined, "customer");
    let searches = shell.portal().posted("/contacts/search");
    shell.run(&["sync", "--segment", "high_value"], 0);
    assert!(
        shell.portal().posted("/contacts/search") > searches,
        "it is asked as a search"
    );
    let now = listed();
    assert!(now.is_superset(&valued(&[joined])) && now.is_disjoint(&valued(&[left])));
    assert_eq!(now.len(), high.len());
}

#[test]
fn s2_5_the_last_sync_is_remembered_and_told_without_a_token() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "250"]);
    let output = shell.run(&["sync", "--stats"], 3);
    assert!(said(&output).contains("no sync has ended"), "{output:?}");
    let report = shell.json(&["sync", "--only", "contacts", "--quiet", "--format", "json"]);
    let stats = expect(
        shell
            .command(&["sync", "--stats", "--format", "json"])
            .env_remove("DEALDECK_TOKEN"),
        0,
    );
    let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert_eq!(stats["total_synced"], 250);
    assert_eq!(stats["total_pages"], report["objects"]["contacts"]["pages"]);
    for key in [
        "objects",
        "by_segment",
        "errors",
        "duration_seconds",
        "requests",
        "complete",
    ] {
        assert_eq!(stats[key], report[key], "{key}");
    }
    stats["timestamp"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
}

#[test]
fn s2_1_progress_goes_to_stderr_as_lines_or_as_json() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "3000", "--latency", "300ms"]);
    let output = shell.run(&["sync", "--only", "contacts", "--format", "json"], 0);
    let text = said(&output);
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!told.is_empty());
    for line in &told {
        let progress = &line["progress"];
        assert_eq!(progress["object"], "contacts");
        assert!(
            progress["fetched"].as_u64().unwrap() <= 3_000 && progress["pages"].as_u64().unwrap() > 0,
            "{line}"
        );
        for key in ["about", "per_second", "eta_seconds", "waiting"] {
            assert!(progress.get(key).is_some(), "{key} in {line}");
        }
    }
    serde_json::from_slice::<Value>(&output.stdout).unwrap();
    let output = shell.run(&["sync", "--full", "--only", "contacts"], 0);
    assert!(said(&output).contains("dealdeck: contacts: "), "{output:?}");
    let output = shell.run(&["sync", "--full", "--only", "contacts", "--quiet"], 0);
    assert_eq!(said(&output), "");
}

#[test]
fn what_the_configuration_names_is_mirrored_and_can_be_asked_for() {
    let shell = Shell::on(&["--deals", "5", "--contacts", "120"]);
    let file = shell.dir.path().join("config.toml");
    let config = file.to_string_lossy().into_owned();
    let run = |arguments: &[&str], code| shell.run(&[arguments, &["--config", &config]].concat(), code);
    // Segments over properties that nobody has read yet stop nothing, not even before the first sync.
    fs::write(&file, "[segments.zoned]\nfilter = \"hs_timezone:none\"\n").unwrap();
    let output = run(&["segments", "list", "--format", "json"], 0);
    let all: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all["segments"][4]["count"], Value::Null);
    assert!(said(&output).contains("'zoned' is not known yet"), "{output:?}");
    run(&["sync"], 0);
    fs::write(
        &file,
        "[mirror]\ncontact_properties = [\"city\"]\n[segments.zoned]\nfilter = \"hs_timezone:none\"\n\
         [segments.slip]\nfilter = \"hs_timezon:none\"\n",
    )
    .unwrap();
    // What is new in the configuration was not read yet.
    let filter = ["contacts", "list", "--filter", "city:none"];
    let output = run(&filter, 3);
    assert!(
        said(&output).contains("the property 'city' was not read of all contacts yet"),
        "{output:?}"
    );
    let output = run(&["sync", "--format", "json"], 0);
    assert!(
        said(&output).contains("the segment 'slip' cannot be read: column 1: no field or property"),
        "{output:?}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["by_segment"]["slip"], Value::Null);
    let truth = truth(&shell);
    let lacking = |property: &str| truth.values().filter(|one| one[property].as_str().is_none()).count();
    assert_eq!(report["by_segment"]["zoned"], lacking("hs_timezone"));
    let output = run(
        &[
            "contacts",
            "list",
            "--properties",
            "city",
            "--format",
            "jsonl",
            "--limit",
            "0",
        ],
        0,
    );
    for row in lines(&output) {
        assert_eq!(
            row["properties"],
            json!({"city": truth[row["id"].as_str().unwrap()]["city"]})
        );
    }
    let output = run(&[&filter[..], &["--format", "jsonl", "--limit", "0"]].concat(), 0);
    assert_eq!(lines(&output).len(), lacking("city"));
    let output = run(&["segments", "show", "slip"], 0);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("unknown   the filter of the segment 'slip'"), "{text}");
}
