//! Around a grant's life: whose it is, how it begins, what it looks like on disk, and where its account lives.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_identity_of_a_grant_is_asked_for_with_the_apps_secret() {
    let hubspot = HubSpot::new("first");
    let (client, _) = client(&hubspot, 10).await;
    let identity = client.identity().await.unwrap();
    assert_eq!(
        (identity.portal_id, identity.scopes),
        (123, vec!["crm.lists.read".to_owned()])
    );
    assert_eq!(
        hubspot.forms(),
        ["token=first&token_type_hint=access_token&client_id=client+%26+co&client_secret=hush-canary"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_is_redeemed_with_its_verifier() {
    let hubspot = HubSpot::new("first");
    let clock = Clock::starting_at(START.parse().unwrap());
    let desk = TokenDesk::new(Arc::new(hubspot.clone()), clock, Duration::from_secs(30));
    let grant = desk
        .redeem(&app(), &"the-code".into(), &"the-verifier".into())
        .await
        .unwrap();
    assert_eq!(grant.access_token.expose_secret(), "renewed-1");
    assert_eq!(grant.expires_at.to_string(), "2026-11-22T12:30:00.1Z");
    assert_eq!(
        hubspot.forms(),
        [
            "grant_type=authorization_code&code=the-code&redirect_uri=http%3A%2F%2Flocalhost%3A8477%2Foauth%2Fcallback\
          &code_verifier=the-verifier&client_id=client+%26+co&client_secret=hush-canary"
        ]
    );
    for (body, next) in [
        (
            json!({"error": "invalid_grant", "status": "EXPIRED_AUTH_CODE"}),
            "setup --oauth",
        ),
        (
            json!({"error": "invalid_client", "status": "BAD_CLIENT_SECRET"}),
            "client id and secret",
        ),
        (
            json!({"status": "BAD_REDIRECT_URI", "message": "no"}),
            "oauth.redirect_uri",
        ),
        (json!({"error": "invalid_scope"}), "oauth.scopes"),
    ] {
        hubspot.will_say(400, body);
        let refused = desk.redeem(&app(), &"x".into(), &"y".into()).await.unwrap_err();
        assert_eq!(refused.fault().kind, FaultKind::Auth);
        assert!(refused.fault().next.contains(next), "{}", refused.fault());
    }
}

#[test]
fn the_question_carries_state_and_challenge_but_not_the_verifier() {
    let mut random = [7; 64];
    random[32..].fill(8);
    let consent = Consent::new(&app(), &consent_page("https://api.hubapi.com"), &random);
    let url = consent.url.expose_secret();
    assert!(
        url.starts_with("https://app.hubspot.com/oauth/authorize?client_id=client+%26+co&redirect_uri=http%3A%2F%2F")
    );
    assert!(url.contains("&scope=crm.objects.deals.read+oauth&state="), "{url}");
    assert!(url.contains(consent.state.expose_secret()) && !url.contains("hush"));
    assert_eq!(consent.state.expose_secret().len(), 43, "256 bits");
    assert!(consent.is_answered_by(consent.state.expose_secret()) && !consent.is_answered_by(""));
    let challenge = "challenge=";
    let at = url.find(challenge).unwrap() + challenge.len();
    assert_eq!(
        consent.verifier.expose_secret(),
        "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg"
    );
    // Computed with Python's hashlib.
    assert_eq!(&url[at..at + 43], "zp7FgSIWTIJKQ-BFL_u6PaaUaUtEVjtcVIlC27irjhQ");
    assert!(!url.contains(consent.verifier.expose_secret()));
}

#[test]
fn a_grant_survives_its_file_and_shows_itself_to_nobody() {
    let grant = grant(1_800);
    let back = Grant::decode(grant.encode().expose_secret()).unwrap();
    assert_eq!(back.refresh_token.expose_secret(), "refresh-0");
    assert_eq!(
        (back.expires_at, back.scopes.clone()),
        (grant.expires_at, grant.scopes.clone())
    );
    assert!(Grant::decode("{}").is_none() && Grant::decode("not json").is_none());
    let shown = format!("{grant:?} {:?} {:?}", app(), Credentials::Token("first".into()));
    assert!(
        !shown.contains("first") && !shown.contains("refresh-0") && !shown.contains("hush"),
        "{shown}"
    );
}

#[test]
fn a_short_life_is_renewed_half_way() {
    let at = |seconds: u64| START.parse::<Timestamp>().unwrap() + Duration::from_secs(seconds);
    let short = grant(20);
    assert!(!short.is_due(at(9)) && short.is_due(at(10)));
    assert!(short.is_alive(at(19)) && !short.is_alive(at(20)));
}

/// A HubSpot whose account lives in another region than its plain host.
struct Elsewhere {
    region: &'static str,
    asked: Mutex<Vec<Option<Arc<str>>>>,
}

impl Transport for Arc<Elsewhere> {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, TransportError>> {
        let here = if self.region == "na1" { None } else { Some(self.region) };
        let found = request.hublet.as_deref() == here;
        self.asked.lock().unwrap().push(request.hublet);
        let (status, body) = if found {
            (200, json!({"results": []}))
        } else {
            let message = format!(
                "Hub 123 is unknown to this Hublet, but it appears to exist in Hublet {}",
                self.region
            );
            (
                488,
                json!({"status": "error", "message": message, "correctHublet": self.region}),
            )
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        Box::pin(async move {
            Ok(Response {
                status: StatusCode::from_u16(status).unwrap(),
                headers,
                body: Bytes::from(body.to_string()),
            })
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_region_a_488_names_is_remembered_across_restarts_and_can_change_back() {
    let store = Arc::new(MemoryTokens::new());
    let ask = async |region: &'static str| {
        let hubspot = Arc::new(Elsewhere {
            region,
            asked: Mutex::default(),
        });
        let client = Client::signed(
            &Settings::default(),
            Credentials::Token("pat-eu1-canary".into()),
            store.clone(),
            Arc::new(hubspot.clone()),
            Clock::starting_at(START.parse().unwrap()),
            Arc::new(MemoryBook::new()),
        );
        read(&client).await.unwrap();
        let asked = hubspot.asked.lock().unwrap();
        asked
            .iter()
            .map(|region| region.as_deref().unwrap_or("plain").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask("eu1").await, ["plain", "eu1"]);
    assert_eq!(store.region().as_deref(), Some("eu1"));
    assert_eq!(ask("eu1").await, ["eu1"], "the next process goes there at once");
    assert_eq!(
        ask("na1").await,
        ["eu1", "plain"],
        "the first region has no host of its own"
    );
    assert_eq!(store.region(), None);
}

#[tokio::test(start_paused = true)]
async fn what_the_token_endpoint_lacks_says_nothing_about_the_request_that_waits() {
    for code in [302, 404, 409, 418, 423, 503] {
        let hubspot = HubSpot::new("first");
        hubspot.will_say(code, json!({"message": "nothing here"}));
        let (client, _) = client(&hubspot, 1_900).await;
        let permit = client.permit(Lane::Write, Quota::Burst).await;
        let deal = RecordRef::new(ObjectType::Deals, "1");
        let failure = client.archive(permit, &deal).await.unwrap_err();
        assert_eq!(failure.signal, Signal::NotSent, "{code}");
        for class in OpClass::ALL {
            let verdict = failure.verdict(class);
            assert_eq!(
                (verdict.applied, verdict.action),
                (Applied::No, Action::Offline),
                "{code} {class:?}"
            );
        }
        assert!(hubspot.bearers().is_empty(), "the archive was not sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_undo_a_later_set_up() {
    let hubspot = HubSpot::new("first");
    let (client, store) = client(&hubspot, 1_900).await;
    *store.grant.lock().unwrap() = None;
    read(&client).await.unwrap();
    assert!(store.grant().is_none(), "a key was set up meanwhile");
    let theirs = Grant {
        refresh_token: "theirs".into(),
        portal_id: Some(456),
        ..grant(1_800)
    };
    store.keep_grant(&theirs).unwrap();
    client.clock().sleep(Duration::from_secs(1_900)).await;
    read(&client).await.unwrap();
    assert_eq!(hubspot.renewals(), 2);
    assert_eq!(
        store.grant().unwrap().refresh_token.expose_secret(),
        "theirs",
        "another account was set up meanwhile"
    );
    store.keep_grant(&grant(1_800)).unwrap();
    client.clock().sleep(Duration::from_secs(1_900)).await;
    read(&client).await.unwrap();
    assert_eq!(
        store.grant().unwrap().refresh_token.expose_secret(),
        "refresh-3",
        "an older grant of the same account is replaced, as after a full disk"
    );
}

/// A client whose grant does not say which account it is for.
fn of_nobody(hubspot: &Arc<HubSpot>) -> (Client, Arc<MemoryTokens>) {
    let store = Arc::new(MemoryTokens::new());
    let nobodys = Grant {
        portal_id: None,
        ..grant(1_800)
    };
    store.keep_grant(&nobodys).unwrap();
    let clock = Clock::starting_at(START.parse().unwrap());
    (with_store(hubspot, &clock, store.clone()), store)
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_names_no_account_is_not_exchanged_for_another_accounts() {
    let hubspot = HubSpot::new("first");
    let (client, store) = of_nobody(&hubspot);
    client.clock().sleep(Duration::from_secs(1_900)).await;
    let now = client.clock().wall();
    let theirs = Grant {
        access_token: "theirs".into(),
        refresh_token: "their-refresh".into(),
        issued_at: now,
        expires_at: now + Duration::from_secs(1_800),
        portal_id: Some(456),
        ..grant(1_800)
    };
    store.keep_grant(&theirs).unwrap();
    read(&client).await.unwrap();
    assert_eq!(hubspot.bearers(), ["renewed-1"]);
    assert_eq!(store.grant().unwrap().portal_id, Some(456));
}

#[tokio::test(start_paused = true)]
async fn a_grant_learns_from_introspection_whose_it_is() {
    let hubspot = HubSpot::new("first");
    let (client, store) = of_nobody(&hubspot);
    client.identity().await.unwrap();
    assert_eq!(store.grant().unwrap().portal_id, Some(123));
    hubspot.will_say(
        200,
        json!({"access_token": "other", "refresh_token": "r", "expires_in": 1800, "hub_id": 456}),
    );
    client.clock().sleep(Duration::from_secs(1_900)).await;
    let refused = read(&client).await.unwrap_err();
    assert_eq!(refused.signal, Signal::Unauthorized, "renewed for another account");
}

#[tokio::test(start_paused = true)]
async fn a_read_whose_token_came_late_does_not_wait_for_the_next_day() {
    let hubspot = HubSpot::new("first");
    let (client, _) = client(&hubspot, 1_900).await;
    *hubspot.desk_takes.lock().unwrap() = Duration::from_secs(40);
    let spend = async {
        client.clock().sleep(Duration::from_secs(1)).await;
        client.inner.budget.observe_usage(1_000, 1_000, None);
    };
    let (ended, ()) = futures::join!(tokio::time::timeout(Duration::from_secs(3_600), read(&client)), spend);
    assert_eq!(
        ended.expect("an answer within the hour").unwrap_err().signal,
        Signal::Denied
    );
}

#[tokio::test(start_paused = true)]
async fn a_kept_region_that_is_no_plain_word_is_not_believed() {
    for text in ["evil.example/", "a", "eu1\n@", ""] {
        let (store, hubspot) = (Arc::new(MemoryTokens::new()), HubSpot::new("pat"));
        store.keep_region(Some(text));
        let client = Client::signed(
            &Settings::default(),
            Credentials::Token("pat".into()),
            store,
            Arc::new(hubspot.clone()),
            Clock::starting_at(START.parse().unwrap()),
            Arc::new(MemoryBook::new()),
        );
        read(&client).await.unwrap();
        assert_eq!(hubspot.asked.lock().unwrap()[0].hublet, None, "{text}");
    }
}
