using System.Text.Json;
using SignalHub.Http;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Webhooks;

namespace SignalHub.Tests.Webhooks;

public sealed class MakingEventsTests
{
    private static readonly DateTimeOffset _received = new DateTimeOffset(2026, 5, 26, 14, 30, 0, 123, TimeSpan.Zero).AddTicks(4_567);
    private static readonly Guid _workspace = Ids.Derive(_received, "workspace", Guid.Empty, Guid.Empty);
    private static readonly Guid _signal = Ids.Derive(_received, "signal", Guid.Empty, Guid.Empty);
    private static readonly Guid _lead = Ids.Derive(_received, "lead", Guid.Empty, Guid.Empty);

    [Fact]
    public void A_qualified_signal_is_an_envelope_around_the_signal_with_lead_account_and_contact()
    {
        var data = SampleSignal.Of(_received);
        var made = WebhookEvents.SignalQualified(_workspace, _signal, _lead, data);
        var body = JsonElement.Parse(made.Body);

        Assert.Equal(["event", "id", "created_at", "data"], body.Names());
        Assert.Equal("signal.qualified", body.Text("event"));
        Assert.Equal(Ids.Text(Ids.Event, made.Id), body.Id());
        Assert.Equal("2026-05-26T14:30:00.123Z", body.Text("created_at"));
        Assert.Equal(JsonSerializer.Serialize(data, Json.Options), body.GetProperty("data").GetRawText());
        Assert.Superset(new HashSet<string>(["id", "signal_type", "context", "qualification", "lead", "account", "contact"]),
            body.GetProperty("data").Names().ToHashSet());
        Assert.Equal((_workspace, (Guid?)_signal, (Guid?)_lead), (made.WorkspaceId, made.SignalId, made.LeadId));
    }

    [Fact]
    public void Person_and_company_stand_beside_the_lead_once()
    {
        var data = JsonElement.Parse(WebhookEvents.SignalQualified(_workspace, _signal, _lead, SampleSignal.Of(_received)).Body).GetProperty("data");

        Assert.DoesNotContain("contact", data.GetProperty("lead").Names());
        Assert.DoesNotContain("account", data.GetProperty("lead").Names());
        Assert.Equal("jane.doe@acme.example", data.GetProperty("contact").Text("email"));
        Assert.Equal("acme.example", data.GetProperty("account").Text("domain"));
    }

    [Fact]
    public void A_lead_event_shows_the_lead()
    {
        var lead = SampleLead();
        var made = WebhookEvents.Lead(WebhookEventTypes.LeadCreated, _workspace, _received, _signal, _lead, lead);

        Assert.Equal("lead.created", made.Type);
        Assert.Equal(JsonSerializer.Serialize(lead, Json.Options), JsonElement.Parse(made.Body).GetProperty("data").GetRawText());
    }

    [Fact]
    public void An_event_id_is_derived_from_what_the_event_is_about()
    {
        var lead = SampleLead();
        WebhookEvent Make(string type, Guid workspace, Guid signal) => WebhookEvents.Lead(type, workspace, _received, signal, _lead, lead);
        var made = Make("lead.created", _workspace, _signal);

        Assert.Equal(made.Id, Make("lead.created", _workspace, _signal).Id);
        Assert.NotEqual(made.Id, Make("lead.updated", _workspace, _signal).Id);
        Assert.NotEqual(made.Id, Make("lead.created", _lead, _signal).Id);
        Assert.NotEqual(made.Id, Make("lead.created", _workspace, _lead).Id);
        Assert.Equal(_received.ToUnixTimeMilliseconds(), Ids.InstantOf(made.Id).ToUnixTimeMilliseconds());
        Assert.Equal(Ids.InstantOf(made.Id), made.CreatedAt);
    }

    [Fact]
    public void A_delivery_id_is_derived_from_event_and_endpoint_and_carries_the_same_millisecond()
    {
        var made = WebhookEvents.Test(_workspace, _received, ["signal.qualified"]);
        var first = NewDelivery.Of(made, new RoutedEndpoint(Endpoint.Of(_lead, true, false, ["test"], EndpointFilter.Any), true));

        Assert.Equal(first.Id, NewDelivery.IdOf(made.Id, _lead));
        Assert.NotEqual(first.Id, NewDelivery.IdOf(made.Id, _signal));
        Assert.Equal(made.CreatedAt, Ids.InstantOf(first.Id));
    }

    [Fact]
    public void A_test_event_has_the_shape_of_a_real_one()
    {
        var real = JsonElement.Parse(WebhookEvents.SignalQualified(_workspace, _signal, _lead, SampleSignal.Of(_received)).Body);
        var test = JsonElement.Parse(WebhookEvents.Test(_workspace, _received, ["signal.qualified"]).Body);

        Assert.Equal("test", test.Text("event"));
        Assert.Equal(real.GetProperty("data").Names(), test.GetProperty("data").Names());
        Assert.All(test.GetProperty("data").EnumerateObject(), member => Assert.NotEqual(JsonValueKind.Null, member.Value.ValueKind));
    }

    private static LeadView SampleLead()
    {
        var signal = SampleSignal.Of(_received);
        return new LeadView(signal.Lead!, signal.Contact, signal.Account);
    }
}
