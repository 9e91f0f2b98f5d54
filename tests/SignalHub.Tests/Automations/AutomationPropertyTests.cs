using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using SignalHub.Conditions;
using SignalHub.Storage;
using SignalHub.Tests.Conditions;
using SignalHub.Tests.Support;

namespace SignalHub.Tests.Automations;

/// <summary>
/// An automation fires if and only if its condition is true for the signal as it is stored: random conditions against random
/// signals, sent over HTTP, and judged by what is read back.
/// </summary>
public sealed class AutomationPropertyTests : IAsyncLifetime
{
    private const int Automations = 100;
    private const int Signals = 60;

    private static readonly string[] _paths =
    [
        "signal.context.n", "signal.properties.s", "signals.context.list", "signal.context.deep.flag", "signal.context.none", "signal.source", "signal.event_name",
        "signal.signal_type", "person.email", "person.seniority", "company.domain", "lead.signal_count", "lead.qualified", "lead.last_source",
    ];

    private static readonly string[] _literals = ["1", "2.5", "'1'", "'App'", "'pro'", "true", "null", "'custom_event'", "'a0@acme.com'", "'vp'"];

    private static readonly Gen<string> _relation = Gen.OneOf(
        from path in Gen.Elements(_paths) from op in Gen.Elements("==", "!=", "<", ">=", ">") from literal in Gen.Elements(_literals) select $"{path} {op} {literal}",
        from path in Gen.Elements(_paths) from all in Gen.Elements(_literals).ArrayOf(3) select $"{path} in [{string.Join(", ", all)}]",
        from path in Gen.Elements(_paths) select $"has({path})",
        from literal in Gen.Elements(_literals) select $"{literal} in signal.context.list",
        from literal in Gen.Elements("'p'", "'@acme'", "'x'") from path in Gen.Elements(_paths) select $"{path}.contains({literal})");

    private static readonly Gen<string> _condition = Gen.Sized(ConditionOf);

    private static readonly Gen<JsonObject> _context =
        from n in Gen.Elements<JsonNode?>(null, 1, 2.5, "1", "2", "x", true)
        from s in Gen.Elements<JsonNode?>(null, "pro", "PRO", "app", 1)
        from list in Gen.Elements("1", "\"pro\"", "null", "2.5", "true").ListOf()
        from flag in Gen.Elements("true", "false", "\"true\"")
        from has in ArbMap.Default.GeneratorFor<bool>().ArrayOf(4)
        select Context(n, s, list, flag, has);

    private SignalHubApp _app = null!;
    private TestWorkspace _acme = null!;

    public async Task InitializeAsync()
    {
        _app = await SignalHubApp.StartAsync(("Roles:Jobs", "false"));
        _acme = await _app.NewWorkspaceAsync();
    }

    public async Task DisposeAsync()
    {
        _acme.Dispose();
        await _app.DisposeAsync();
    }

    [Fact]
    public async Task An_automation_fires_if_and_only_if_its_condition_is_true_for_the_stored_signal()
    {
        var endpoint = (string)(await _acme.NewEndpointAsync(new { url = "http://127.0.0.1:9/hook" }))["id"]!;
        var conditions = new Dictionary<string, Condition>();
        foreach (var text in _condition.Sample(Automations, 6))
        {
            var made = await _acme.NewAutomationAsync(new { name = "p", when = text, action = new { endpoint_id = endpoint } });
            conditions.Add((string)made["id"]!, Given.Condition(text));
        }
        var number = 0;
        var (fired, total) = (0, 0);
        foreach (var context in _context.Sample(Signals))
        {
            number++;
            var signal = await _acme.SignalIdAsync(new JsonObject
            {
                ["signal_type"] = number % 3 == 0 ? "company_change" : "custom_event",
                ["source"] = number % 2 == 0 ? "app" : "crm",
                ["event_name"] = number % 4 == 0 ? "pro" : null,
                ["occurred_at"] = $"2026-03-14T08:{number.ToString("00", CultureInfo.InvariantCulture)[^2..].Replace("60", "00", StringComparison.Ordinal)}:00Z",
                ["identity"] = new JsonObject { ["email"] = $"a{number % 5}@acme.com", ["title"] = number % 5 == 1 ? "VP Sales" : null },
                ["context"] = context,
            });
            var stored = await StoredAsync(signal);
            foreach (var (id, condition) in conditions)
            {
                var expected = condition.Matches(stored);
                total++;
                fired += expected ? 1 : 0;
            }
            var ran = (await FiredAsync(signal)).ToHashSet();
            Assert.All(conditions, c => Assert.True(c.Value.Matches(stored) == ran.Contains(c.Key), $"{c.Value.Text} on {context.ToJsonString()} of signal {number}: fired is {ran.Contains(c.Key)}"));
        }
        // Both happen often, or the property would say nothing.
        Assert.InRange(fired, total / 20, total - (total / 20));
    }

    /// <summary>The signal as the routes show it, which is not how the intake saw it.</summary>
    private async Task<ConditionInput> StoredAsync(string id)
    {
        var signal = await _acme.GetAsync($"/signals/{id}");
        var lead = await _acme.GetAsync($"/leads/{signal["lead_id"]}");
        var leadFields = lead.DeepClone().AsObject();
        leadFields["last_source"] = lead["attribution"]!["last_source"]?.DeepClone();
        var company = lead["account"]?.DeepClone();
        return new ConditionInput
        {
            Signal = Fields(signal),
            Lead = Fields(leadFields),
            Person = Fields(Without(lead["contact"]!)),
            Company = company is null ? null : Fields(Without(company)),
            Now = JsonSerializer.Deserialize<DateTimeOffset>(signal["received_at"]!.ToJsonString()),
        };
    }

    private async Task<IEnumerable<string>> FiredAsync(string signal)
    {
        Assert.True(Ids.TryParse(Ids.Signal, signal, out var id));
        var runs = await _app.QueryAsync<Guid[]>($"select coalesce(array_agg(automation_id), '{{}}') from automation_runs where signal_id = '{id}' and outcome = 'fired'");
        var deliveries = await _app.QueryAsync<long>($"select count(*) from delivery_queue where signal_id = '{id}' and event_type = 'automation.action_triggered'");
        Assert.Equal(runs!.Length, deliveries);
        return runs.Select(run => Ids.Text(Ids.Automation, run));
    }

    /// <summary>A null that is shown is a field that conditions do not have.</summary>
    private static JsonObject Without(JsonNode shown) => new(shown.AsObject().Where(m => m.Value is not null).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));

    private static IFields Fields(JsonNode node)
    {
        var shown = Without(node);
        // Of the context nulls are data.
        if (node["context"] is { } context)
        {
            shown["context"] = context.DeepClone();
        }
        return Given.Fields(shown.ToJsonString());
    }

    private static Gen<string> ConditionOf(int size) => size <= 1
        ? _relation
        : Gen.OneOf(
            _relation,
            from a in ConditionOf(size / 2) from b in ConditionOf(size / 2) from op in Gen.Elements("and", "or", "&&", "||") select $"({a}) {op} ({b})",
            from a in ConditionOf(size - 1) select $"not ({a})");

    private static JsonObject Context(JsonNode? n, JsonNode? s, IList<string> list, string flag, bool[] has)
    {
        var context = new JsonObject();
        if (has[0])
        {
            context["n"] = n?.DeepClone();
        }
        if (has[1])
        {
            context["s"] = s?.DeepClone();
        }
        if (has[2])
        {
            context["list"] = JsonNode.Parse($"[{string.Join(",", list)}]");
        }
        if (has[3])
        {
            context["deep"] = JsonNode.Parse($$"""{"flag":{{flag}}}""");
        }
        return context;
    }
}
