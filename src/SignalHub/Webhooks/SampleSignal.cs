using System.Text.Json;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Webhooks;

/// <summary>A signal that nobody sent, about a person and a company that do not exist: what test sends show.</summary>
internal static class SampleSignal
{
    /// <summary>Received at <paramref name="now"/>; its ids lead nowhere.</summary>
    public static SignalData Of(DateTimeOffset now)
    {
        var occurredAt = now.AddMinutes(-2);
        var account = Account(now);
        var contact = Contact(now, account.Id);
        var figures = new QualificationFigures("Mid-market SaaS", 73, "VP Engineering", 81);
        var lead = new LeadSummary(
            Ids.Text(Ids.Lead, SampleId("lead")), "contact", figures.IcpCode, figures.IcpScore, figures.PersonaCode,
            figures.PersonaScore, Qualified: true, FirstQualifiedAt: now, SignalCount: 1,
            new AttributionView("segment", "segment", new Dictionary<string, long> { ["segment"] = 1 }), occurredAt, occurredAt, now, now);
        return new SignalData(
            Ids.Text(Ids.Signal, SampleId("signal")), "product_usage", "segment", "Workspace upgraded", "expansion", "live", Backfill: false,
            occurredAt, now,
            Parse("""{"email":"jane.doe@acme.example","company_domain":"acme.example","title":"VP of Engineering"}"""),
            Parse("""{"plan":"pro","team_size":12}"""),
            lead.Id, account.Id, contact.Id, Qualified: true, figures, [], lead, account, contact);
    }

    /// <summary>The same signal as a project sees it.</summary>
    public static DetectedSignal Detected(DateTimeOffset now) => new(
        Ids.Text(Ids.Signal, SampleId("signal")), Ids.Text(Ids.Project, SampleId("project")), new DetectedCompany("Acme", "7707083893", "software"),
        new DetectedEvent("product_usage", "Product usage \"Workspace upgraded\": plan pro, team_size 12.", now), Priorities.High,
        "Qualified: the account fits Mid-market SaaS with 73 of 100 (Employees 320 +40), and the contact fits VP Engineering with 81 of 100 (Seniority vp +54).",
        "Contact Jane Doe (VP of Engineering): jane.doe@acme.example.",
        [new DetectedContact("Jane Doe", "VP of Engineering", "jane.doe@acme.example", "+49 30 0000000")]);

    private static AccountView Account(DateTimeOffset now)
    {
        var facts = new Dictionary<string, FactView>
        {
            ["employees"] = new(Parse("320"), "explicit", now),
            ["industry"] = new(Parse("\"software\""), "explicit", now),
        };
        return new AccountView(
            Ids.Text(Ids.Account, SampleId("account")), "Acme", "acme.example", ["acme.example"],
            facts.ToDictionary(f => f.Key, f => f.Value.Value), facts, now);
    }

    private static ContactView Contact(DateTimeOffset now, string accountId) => new(
        Ids.Text(Ids.Contact, SampleId("contact")), "Jane", "Doe", "VP of Engineering", "vp", "engineering",
        "jane.doe@acme.example", ["jane.doe@acme.example"], "https://www.linkedin.com/in/jane-doe-sample", null, accountId, now);

    /// <summary>Of the epoch, so that it is never the id of anything real.</summary>
    private static Guid SampleId(string kind) => Ids.Derive(DateTimeOffset.UnixEpoch, "sample " + kind, Guid.Empty, Guid.Empty);

    private static JsonElement Parse(string json) => JsonElement.Parse(json);
}
