using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using SignalHub.Http;
using SignalHub.Webhooks;
using SignalHub.Webhooks.Formats;

namespace SignalHub.Tests.Webhooks;

public sealed class SlackMessageTests
{
    private static readonly DateTimeOffset _now = new(2026, 3, 14, 9, 26, 53, TimeSpan.Zero);

    [Fact]
    public void A_detected_signal_reads_like_this()
    {
        var message = Of("signal.detected", SampleSignal.Detected(_now));

        Assert.Equal("High priority: Acme", (string?)message["text"]);
        Assert.Equal(["header", "section", "section", "context"], message["blocks"]!.AsArray().Select(b => (string)b!["type"]!));
        Assert.Equal(("plain_text", "High priority: Acme"), ((string?)message["blocks"]![0]!["text"]!["type"], (string?)message["blocks"]![0]!["text"]!["text"]));
        Assert.Equal(
            """
            Product usage "Workspace upgraded": plan pro, team_size 12.
            *Industry:* software
            *Why:* Qualified: the account fits Mid-market SaaS with 73 of 100 (Employees 320 +40), and the contact fits VP Engineering with 81 of 100 (Seniority vp +54).
            *Next step:* Contact Jane Doe (VP of Engineering): jane.doe@acme.example.
            """.ReplaceLineEndings("\n"), Section(message, 1));
        Assert.Equal("*Contacts*\n• Jane Doe, VP of Engineering, jane.doe@acme.example, +49 30 0000000", Section(message, 2));
    }

    [Theory]
    [InlineData("signal.qualified", "Qualified: Jane Doe", "*ICP:* Mid-market SaaS 73")]
    [InlineData("lead.created", "New lead: Jane Doe", "*Company:* Acme, acme.example")]
    [InlineData("lead.updated", "Lead changed: Jane Doe", "*Qualified:* yes")]
    [InlineData("test", "Test: Qualified: Jane Doe", "*team_size:* 12")]
    [InlineData("endpoint.failing", "Webhook endpoint keeps failing", "*Endpoint:* Sample endpoint ep_")]
    [InlineData("endpoint.disabled", "Webhook endpoint was disabled", "*Reason:* failing")]
    public void Every_event_type_has_a_message_of_its_own(string type, string text, string line)
    {
        var message = Of(type, new { @event = type, id = "evt_1", data = SampleData.Of(type, _now).Single() });

        Assert.Equal(text, (string?)message["text"]);
        Assert.Contains(line, Section(message, 1), StringComparison.Ordinal);
        Assert.DoesNotContain("example.com/hooks", message.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_automation_shows_its_name_and_the_signals_properties()
    {
        var message = Of("automation.action_triggered", JsonNode.Parse("""
            {"event":"automation.action_triggered","automation_id":"auto_1","automation_name":"Trial → sales","triggered_at":"2026-03-14T09:26:53Z",
             "account":{"name":"Acme Corp","domain":"acmecorp.com"},"contact":{"email":"jane@acmecorp.com","first_name":"Jane","last_name":null},
             "signal":{"id":"sig_1","type":"product_trial_started","source":"app","properties":{"plan":"pro_trial","nested":{}}}}
            """)!);

        Assert.Equal("Automation: Trial → sales", (string?)message["text"]);
        Assert.Equal("*Person:* Jane, jane@acmecorp.com\n*Company:* Acme Corp, acmecorp.com\n*Signal:* product_trial_started\n*Source:* app\n*plan:* pro_trial", Section(message, 1));
    }

    [Fact]
    public void A_value_can_neither_mention_a_channel_nor_pose_as_a_link()
    {
        var message = Of("signal.detected", SampleSignal.Detected(_now) with { RecommendedAction = "<!channel> & <https://evil.example|Acme>" });

        Assert.Contains("*Next step:* &lt;!channel&gt; &amp; &lt;https://evil.example|Acme&gt;", Section(message, 1), StringComparison.Ordinal);
    }

    /// <summary>Slack refuses a message as a whole when one text is too long, so none ever is, whatever the values are.</summary>
    [Fact]
    public void Every_text_keeps_within_the_limits_and_has_no_bare_angle_bracket()
    {
        var texts = Gen.OneOf(
            ArbMap.Default.GeneratorFor<string>().Select(s => s ?? ""),
            from part in Gen.Elements("<!here>", "&", "\U0001F600", "a\n", "\u0001", ">") from n in Gen.Choose(0, 4_000) select string.Concat(Enumerable.Repeat(part, n)));
        var bodies =
            from type in Gen.Elements(WebhookEventTypes.All.ToArray())
            from a in texts
            from b in texts
            from contacts in Gen.Choose(0, 12)
            select (type, Body(type, a, b, contacts));

        Prop.ForAll(bodies.ToArbitrary(), given =>
        {
            var message = Of(given.type, given.Item2);
            var blocks = message["blocks"]!.AsArray();
            var mrkdwn = blocks.Where(b => (string?)b!["type"] == "section").Select(b => (string)b!["text"]!["text"]!)
                .Concat(blocks.Where(b => (string?)b!["type"] == "context").SelectMany(b => b!["elements"]!.AsArray().Select(e => (string)e!["text"]!)))
                .Append((string)message["text"]!).ToList();
            return blocks.Count is >= 1 and <= 50
                && ((string)blocks[0]!["text"]!["text"]!).Length is >= 1 and <= 150
                && mrkdwn.All(t => t.Length is >= 1 and <= 3_000 && !t.Contains('<') && !t.Contains('>'));
        }).QuickCheckThrowOnFailure();
    }

    private static JsonObject Body(string type, string a, string b, int contacts)
    {
        var who = new JsonObject { ["first_name"] = a, ["title"] = b, ["email"] = a };
        var data = new JsonObject { ["id"] = a, ["signal_type"] = b, ["contact"] = who, ["context"] = new JsonObject { [a] = b, ["list"] = new JsonArray(a) } };
        return type == "signal.detected"
            ? new JsonObject
            {
                ["signal_id"] = a,
                ["project_id"] = "prj_1",
                ["priority"] = b,
                ["company"] = new JsonObject { ["name"] = a },
                ["event"] = new JsonObject { ["description"] = b },
                ["recommended_action"] = a,
                ["contacts"] = new JsonArray([.. Enumerable.Range(0, contacts).Select(_ => new JsonObject { ["name"] = a, ["role"] = b })]),
            }
            : new JsonObject { ["event"] = type, ["automation_name"] = a, ["signal"] = new JsonObject { ["properties"] = new JsonObject { [b] = a } }, ["data"] = data };
    }

    private static JsonNode Of(string type, object body) =>
        JsonNode.Parse(SlackMessage.Of(type, JsonSerializer.SerializeToUtf8Bytes(body, Json.Options)))!;

    private static string Section(JsonNode message, int block) => (string)message["blocks"]![block]!["text"]!["text"]!;
}
