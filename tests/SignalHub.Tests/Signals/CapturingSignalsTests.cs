using System.Net;
using System.Text.Json.Nodes;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Signals;

public sealed class CapturingSignalsTests : IAsyncLifetime
{
    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync();
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task The_seeds_example_with_a_real_title_gets_four_figures_and_qualifies()
    {
        var captured = await _acme.IngestAsync(Sample.Seed());

        Assert.Equal("captured", (string)captured["status"]!);
        Assert.StartsWith("sig_", (string)captured["signal_capture_id"]!, StringComparison.Ordinal);
        Assert.StartsWith("lead_", (string)captured["matched_record_id"]!, StringComparison.Ordinal);
        Assert.All(["icp_code", "icp_score", "persona_code", "persona_score"], figure => Assert.NotNull(captured["qualification"]![figure]));
        Assert.True((bool)captured["qualified"]!);
    }

    [Fact]
    public async Task The_seeds_example_verbatim_is_captured_with_an_icp_and_a_warning_for_the_linkedin_url()
    {
        var captured = await _acme.IngestAsync(Sample.Seed(title: "..."));

        Assert.NotNull(captured["qualification"]!["icp_code"]);
        Assert.Contains(captured["warnings"]!.AsArray(), w => (string)w!["pointer"]! == "/identity/linkedin_url");
        var contact = (await _acme.GetAsync($"/leads/{captured["matched_record_id"]}"))["contact"]!;
        Assert.Null(contact["title"]);
        Assert.Null(contact["first_name"]);
    }

    [Fact]
    public async Task A_captured_signal_reads_back_as_it_was_sent()
    {
        var captured = await _acme.IngestAsync(Sample.Seed());

        var signal = await _acme.GetAsync($"/signals/{captured["signal_capture_id"]}");

        Assert.Equal("custom_event", (string)signal["signal_type"]!);
        Assert.Equal("your-system-name", (string)signal["source"]!);
        Assert.Equal("user_invited_teammate", (string)signal["event_name"]!);
        Assert.Equal("2026-03-14T08:30:00Z", (string)signal["occurred_at"]!);
        Assert.Equal(12, (int)signal["context"]!["team_size"]!);
        Assert.Equal((string)captured["matched_record_id"]!, (string)signal["lead_id"]!);
        Assert.Equal(captured["qualification"]!.ToJsonString(), signal["qualification"]!.ToJsonString());
    }

    [Fact]
    public async Task The_identity_reads_back_trimmed_and_without_what_was_dropped()
    {
        var captured = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:00:00Z",
            identity = new { email = "  Jane@Acme.com ", title = "", nickname = "J", emails = new[] { "", "j@acme.com" } },
        });

        var signal = await _acme.GetAsync($"/signals/{captured["signal_capture_id"]}");

        Assert.Equal(["email", "emails"], signal["identity"]!.AsObject().Select(m => m.Key).Order(StringComparer.Ordinal));
        Assert.Equal("Jane@Acme.com", (string)signal["identity"]!["email"]!);
        Assert.Equal(["j@acme.com"], signal["identity"]!["emails"]!.AsArray().Select(e => (string)e!));
    }

    [Fact]
    public async Task Spaces_empty_fields_and_defaults_do_not_make_a_retry_other_content()
    {
        var first = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:00:00Z", idempotency_key = "k",
            identity = new { email = "jane@acme.com" },
        });

        var again = await _acme.Client.PostAsync("/signals", new
        {
            signal_type = "Custom Event", source = " app ", occurred_at = "2026-03-14T09:00:00+01:00", idempotency_key = "k", event_name = "",
            backfill = false, context = new { }, identity = new { title = "", email = " jane@acme.com", nickname = "J" },
        }).JsonAsync(HttpStatusCode.OK);

        Assert.Equal((string)first["signal_capture_id"]!, (string)again["signal_capture_id"]!);
    }

    [Fact]
    public async Task A_natural_duplicate_with_an_empty_context_for_none_has_the_same_payload()
    {
        await _acme.IngestAsync(new { signal_type = "custom_event", source = "a", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "j@acme.com" } });

        var second = await _acme.Client.PostAsync("/signals", new
        {
            signal_type = "custom_event", source = "a", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "j@acme.com" }, context = new { },
        }).JsonAsync(HttpStatusCode.OK);

        Assert.Null(second["payload_differs"]);
    }

    [Fact]
    public async Task A_lead_counts_its_signals_and_names_its_first_and_last_source()
    {
        var lead = (string)(await _acme.IngestAsync(Sample.Signal("jane@acme.com", 1, "segment")))["matched_record_id"]!;
        await _acme.IngestAsync(Sample.Signal("jane@acme.com", 5, "zapier"));
        await _acme.IngestAsync(Sample.Signal("JANE@acme.com", 3, "segment"));

        var shown = await _acme.GetAsync($"/leads/{lead}");

        Assert.Equal(3, (int)shown["signal_count"]!);
        Assert.Equal("segment", (string)shown["attribution"]!["first_source"]!);
        Assert.Equal("zapier", (string)shown["attribution"]!["last_source"]!);
        Assert.Equal(2, (int)shown["attribution"]!["by_source"]!["segment"]!);
        var timeline = (await _acme.GetAsync($"/leads/{lead}/timeline"))["data"]!.AsArray();
        Assert.Equal(["zapier", "segment", "segment"], timeline.Select(s => (string)s!["source"]!));
    }

    [Fact]
    public async Task The_same_event_sent_again_is_answered_with_the_first_id_and_writes_nothing()
    {
        var first = await _acme.IngestAsync(Sample.Seed());

        using var again = await _acme.Client.PostAsync("/signals", Sample.Seed());

        var second = await again.JsonAsync(HttpStatusCode.OK);
        Assert.Equal("duplicate", (string)second["status"]!);
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal((string)first["signal_capture_id"]!, (string)second["signal_capture_id"]!);
        Assert.Equal((string)first["matched_record_id"]!, (string)second["matched_record_id"]!);
        Assert.Equal(first["qualification"]!.ToJsonString(), second["qualification"]!.ToJsonString());
        Assert.Null(second["payload_differs"]);
        Assert.Equal(1L, await _app.QueryAsync<long>("select count(*) from signals"));
    }

    [Fact]
    public async Task A_natural_duplicate_with_another_context_says_that_its_payload_differs()
    {
        await _acme.IngestAsync(Sample.Signal("jane@acme.com", context: new { team_size = 1 }));

        var second = await _acme.Client.PostAsync("/signals", Sample.Signal("jane@acme.com", context: new { team_size = 2 })).JsonAsync(HttpStatusCode.OK);

        Assert.True((bool)second["payload_differs"]!);
    }

    [Fact]
    public async Task An_idempotency_key_forces_a_second_capture_of_the_same_event()
    {
        var first = await _acme.IngestAsync(WithKey(null));
        var second = await _acme.IngestAsync(WithKey("again-1"));
        var third = await _acme.Client.PostAsync("/signals", WithKey("again-1")).JsonAsync(HttpStatusCode.OK);

        Assert.NotEqual((string)first["signal_capture_id"]!, (string)second["signal_capture_id"]!);
        Assert.Equal((string)second["signal_capture_id"]!, (string)third["signal_capture_id"]!);
    }

    [Fact]
    public async Task The_header_and_the_field_are_the_same_idempotency_key()
    {
        var first = await _acme.IngestAsync(WithKey("k-1"));
        foreach (var header in (string[])["k-1", "\"k-1\""])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/signals") { Content = System.Net.Http.Json.JsonContent.Create(WithKey(null)) };
            request.Headers.TryAddWithoutValidation("Idempotency-Key", header);

            var again = await _acme.Client.SendAsync(request).JsonAsync(HttpStatusCode.OK);

            Assert.Equal((string)first["signal_capture_id"]!, (string)again["signal_capture_id"]!);
        }
    }

    [Fact]
    public async Task A_header_key_that_differs_from_the_fields_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/signals") { Content = System.Net.Http.Json.JsonContent.Create(WithKey("a")) };
        request.Headers.Add("Idempotency-Key", "b");

        await _acme.Client.SendAsync(request).ProblemAsync(422, "idempotency_key_conflict");
    }

    [Fact]
    public async Task An_idempotency_key_used_for_other_content_names_the_fields_that_differ()
    {
        await _acme.IngestAsync(new { signal_type = "custom_event", source = "a", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "j@acme.com" }, idempotency_key = "k" });

        var problem = await _acme.Client.PostAsync("/signals", new
        {
            signal_type = "custom_event", source = "b", occurred_at = "2026-03-14T08:00:01Z", identity = new { email = "j@acme.com" }, idempotency_key = "k",
        }).ProblemAsync(422, "idempotency_key_reused");

        Assert.Equal(["/source", "/occurred_at"], problem["errors"]!.AsArray().Select(e => (string)e!["pointer"]!));
    }

    [Fact]
    public async Task With_autoqualify_off_the_answer_shows_nothing_and_reading_shows_the_result()
    {
        await _acme.Client.PostAsync("/signal-types", new { name = "Silent thing", autoqualify = false }).JsonAsync(HttpStatusCode.Created);

        var captured = await _acme.IngestAsync(new
        {
            signal_type = "silent_thing", source = "app", occurred_at = "2026-03-14T08:00:00Z",
            identity = new { email = "person@company.com", title = "VP Engineering" }, context = new { team_size = 12, plan_tier = "free" },
        });

        Assert.All(captured["qualification"]!.AsObject(), figure => Assert.Null(figure.Value));
        Assert.Null(captured["qualified"]);
        Assert.NotNull((await _acme.GetAsync($"/signals/{captured["signal_capture_id"]}"))["qualification"]!["icp_code"]);
        Assert.NotNull((await _acme.GetAsync($"/leads/{captured["matched_record_id"]}"))["icp_code"]);
    }

    [Fact]
    public async Task Sub_rules_put_signals_into_the_first_bucket_that_matches()
    {
        await _acme.Client.PostAsync("/signal-types", new
        {
            name = "Seat added",
            sub_rules = new[] { new { name = "big_team", when = "signal.context.team_size > 10" }, new { name = "any_team", when = "has(signal.context.team_size)" } },
        }).JsonAsync(HttpStatusCode.Created);

        string?[] buckets = [await BucketOfAsync(new { team_size = "12" }, 1), await BucketOfAsync(new { team_size = 3 }, 2), await BucketOfAsync(new { }, 3)];

        Assert.Equal(new string?[] { "big_team", "any_team", null }, buckets.AsEnumerable());
    }

    [Theory]
    [InlineData("Custom Event")]
    [InlineData("custom-event")]
    [InlineData(" CUSTOM_EVENT ")]
    public async Task A_type_is_found_in_any_spelling_of_its_key(string spelling)
    {
        var captured = await _acme.IngestAsync(new { signal_type = spelling, source = "app", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "jane@acme.com" } });

        Assert.Equal("custom_event", (string)(await _acme.GetAsync($"/signals/{captured["signal_capture_id"]}"))["signal_type"]!);
    }

    [Fact]
    public async Task An_unknown_type_names_the_closest_ones()
    {
        var problem = await _acme.Client.PostAsync("/signals", new
        {
            signal_type = "custm_event", source = "app", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "jane@acme.com" },
        }).ProblemAsync(422, "unknown_signal_type");

        Assert.Contains("custom_event", (string)problem["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disabled_type_is_refused_until_it_is_enabled_again()
    {
        await _acme.Client.PatchAsync("/signal-types/promotion", new { enabled = false }).JsonAsync(HttpStatusCode.OK);
        var signal = new { signal_type = "promotion", source = "app", occurred_at = "2026-03-14T08:00:00Z", identity = new { email = "jane@acme.com" } };
        await _acme.Client.PostAsync("/signals", signal).ProblemAsync(422, "signal_type_disabled");

        await _acme.Client.PatchAsync("/signal-types/promotion", new { enabled = true }).JsonAsync(HttpStatusCode.OK);

        await _acme.IngestAsync(signal);
    }

    [Fact]
    public async Task Test_signals_are_scored_and_listed_apart_and_change_nothing_else()
    {
        using var test = await _acme.NewKeyAsync("test", "ingest", "read");

        var captured = await test.PostAsync("/signals", Sample.Seed()).JsonAsync(HttpStatusCode.Created);

        Assert.NotNull(captured["qualification"]!["icp_code"]);
        Assert.Null(captured["matched_record_id"]);
        Assert.Null(captured["contact_id"]);
        Assert.Empty((await _acme.GetAsync("/signals"))["data"]!.AsArray());
        Assert.Single((await _acme.GetAsync("/signals?mode=test"))["data"]!.AsArray());
        Assert.Empty((await _acme.GetAsync("/leads"))["data"]!.AsArray());
        Assert.Equal(0L, await _app.QueryAsync<long>("select (select count(*) from contacts) + (select count(*) from accounts) + (select count(*) from webhook_events)"));
        await test.GetAsync(new Uri("/leads", UriKind.Relative)).ProblemAsync(403, "live_key_required");
    }

    [Fact]
    public async Task A_dry_run_tells_everything_and_writes_nothing()
    {
        var told = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Seed()).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("dry_run", (string)told["status"]!);
        Assert.Equal("captured", (string)told["would_be"]!);
        Assert.Null(told["signal_capture_id"]);
        Assert.Null(told["matched_record_id"]);
        Assert.True((bool)told["qualified"]!);
        Assert.Equal(["email person@company.com", "company_domain company.com"],
            told["identity"]!["keys"]!.AsArray().Select(k => $"{k!["kind"]} {k["key"]}"));
        Assert.Equal(0L, await _app.QueryAsync<long>("select (select count(*) from signals) + (select count(*) from contacts) + (select count(*) from leads)"));
    }

    [Fact]
    public async Task A_dry_run_of_a_captured_signal_knows_it_and_its_lead()
    {
        var captured = await _acme.IngestAsync(Sample.Seed());

        var told = await _acme.Client.PostAsync("/signals?dry_run=true", Sample.Seed()).JsonAsync(HttpStatusCode.OK);

        Assert.Equal("duplicate", (string)told["would_be"]!);
        Assert.Equal((string)captured["signal_capture_id"]!, (string)told["signal_capture_id"]!);
        Assert.Equal((string)captured["matched_record_id"]!, (string)told["matched_record_id"]!);
    }

    [Fact]
    public async Task A_company_alone_goes_to_the_accounts_own_lead()
    {
        var captured = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T08:00:00Z", identity = new { company_domain = "https://www.acme.com/about" },
        });

        Assert.Null(captured["contact_id"]);
        var lead = await _acme.GetAsync($"/leads/{captured["matched_record_id"]}");
        Assert.Equal("account", (string)lead["kind"]!);
        Assert.Equal("acme.com", (string)lead["account"]!["domain"]!);
    }

    [Fact]
    public async Task Text_of_every_kind_is_stored_and_returned_as_text()
    {
        string[] texts = ["'; drop table signals; --", "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}", "%s%n", "\u202Egnp.exe", "😀", "\\u0041", "null"];
        foreach (var (text, minute) in texts.Select((t, i) => (t, i)))
        {
            var captured = await _acme.IngestAsync(new
            {
                signal_type = "custom_event", source = text, event_name = text, occurred_at = $"2026-03-14T08:{minute:00}:00Z",
                identity = new { email = $"p{minute}@acme.com", first_name = text + "x" }, context = new Dictionary<string, object> { [text] = text },
            });
            var signal = await _acme.GetAsync($"/signals/{captured["signal_capture_id"]}");
            Assert.Equal(text, (string)signal["source"]!);
            Assert.Equal(text, (string)signal["event_name"]!);
            Assert.Equal(text, (string)signal["context"]![text]!);
        }
        Assert.Equal((long)texts.Length, await _app.QueryAsync<long>("select count(*) from signals"));
    }

    [Fact]
    public async Task Time_is_kept_in_UTC_to_the_microsecond()
    {
        var captured = await _acme.IngestAsync(new
        {
            signal_type = "custom_event", source = "app", occurred_at = "2026-03-14T10:00:00.1234569+02:00", identity = new { email = "jane@acme.com" },
        });

        Assert.Equal("2026-03-14T08:00:00.123456Z", (string)(await _acme.GetAsync($"/signals/{captured["signal_capture_id"]}"))["occurred_at"]!);
    }

    [Fact]
    public async Task Other_workspaces_see_nothing_of_it_and_share_no_deduplication()
    {
        var captured = await _acme.IngestAsync(Sample.Seed());
        using var other = await _app.NewWorkspaceAsync("Other");

        foreach (var path in (string[])[$"/signals/{captured["signal_capture_id"]}", $"/leads/{captured["matched_record_id"]}", $"/accounts/{captured["account_id"]}", $"/contacts/{captured["contact_id"]}", $"/leads/{captured["matched_record_id"]}/timeline"])
        {
            await other.Client.GetAsync(new Uri(path, UriKind.Relative)).ProblemAsync(404, "not_found");
        }
        var theirs = await other.IngestAsync(Sample.Seed());
        Assert.NotEqual((string)captured["signal_capture_id"]!, (string)theirs["signal_capture_id"]!);
        Assert.NotEqual((string)captured["contact_id"]!, (string)theirs["contact_id"]!);
    }

    private async Task<string?> BucketOfAsync(object context, int minute) => (string?)(await _acme.IngestAsync(new
    {
        signal_type = "seat_added", source = "app", occurred_at = $"2026-03-14T08:{minute:00}:00Z", identity = new { email = "jane@acme.com" }, context,
    }))["bucket"];

    private static JsonObject WithKey(string? key)
    {
        var signal = new JsonObject
        {
            ["signal_type"] = "custom_event", ["source"] = "app", ["occurred_at"] = "2026-03-14T08:00:00Z",
            ["identity"] = new JsonObject { ["email"] = "jane@acme.com" },
        };
        if (key is not null)
        {
            signal["idempotency_key"] = key;
        }
        return signal;
    }
}
