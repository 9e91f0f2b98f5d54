using SignalHub.Conditions;
using SignalHub.Qualification;
using SignalHub.Resources;

namespace SignalHub.Operations;

/// <summary>The roots of conditions over what is stored, with the same fields that the intake offers.</summary>
internal static class StoredFields
{
    public static ConditionInput Of(Guid id, SignalData signal, QualificationView? scores, string? emailClass) => new()
    {
        Signal = new StoredSignalFields(
            id, signal.SignalType, signal.Source, signal.EventName, signal.Bucket, signal.Mode, signal.OccurredAt, signal.ReceivedAt, signal.Context),
        Lead = signal.Lead is { } lead ? new LeadRoot(lead) : null,
        Person = signal.Contact is { } contact ? new PersonRoot(contact, emailClass) : null,
        Company = signal.Account is { } account ? new CompanyRoot(account) : null,
        Icp = scores is null ? null : new ScoreRoot(scores.Icp),
        Persona = scores is null ? null : new ScoreRoot(scores.Persona),
        Now = signal.ReceivedAt,
    };

    private sealed class LeadRoot(LeadSummary lead) : IFields
    {
        public ConditionValue Get(string name) => name switch
        {
            "id" => ConditionValue.Of(lead.Id),
            "icp_code" => ConditionValue.Of(lead.IcpCode),
            "icp_score" => ConditionValue.Of((long?)lead.IcpScore),
            "persona_code" => ConditionValue.Of(lead.PersonaCode),
            "persona_score" => ConditionValue.Of((long?)lead.PersonaScore),
            "qualified" => ConditionValue.Of(lead.Qualified),
            "signal_count" => ConditionValue.Of(lead.SignalCount),
            "first_source" => ConditionValue.Of(lead.Attribution.FirstSource),
            "last_source" => ConditionValue.Of(lead.Attribution.LastSource),
            "first_signal_at" => ConditionValue.Of(lead.FirstSignalAt),
            "last_signal_at" => ConditionValue.Of(lead.LastSignalAt),
            _ => ConditionValue.Missing,
        };
    }

    private sealed class PersonRoot(ContactView contact, string? emailClass) : IFields
    {
        public ConditionValue Get(string name) => name switch
        {
            "email" => ConditionValue.Of(contact.Email),
            "email_class" => ConditionValue.Of(emailClass),
            "first_name" => ConditionValue.Of(contact.FirstName),
            "last_name" => ConditionValue.Of(contact.LastName),
            "title" => ConditionValue.Of(contact.Title),
            "seniority" => ConditionValue.Of(contact.Seniority),
            "function" => ConditionValue.Of(contact.Function),
            "linkedin_url" => ConditionValue.Of(contact.LinkedinUrl),
            "phone" => ConditionValue.Of(contact.Phone),
            _ => ConditionValue.Missing,
        };
    }

    private sealed class CompanyRoot(AccountView account) : IFields
    {
        public ConditionValue Get(string name) => name switch
        {
            "domain" => ConditionValue.Of(account.Domain),
            "name" => ConditionValue.Of(account.Name),
            _ => account.Attributes.TryGetValue(name, out var fact) ? ConditionValue.Of(fact) : ConditionValue.Missing,
        };
    }

    /// <summary>Nothing matched: the code is null and the score 0, as when the signal was scored.</summary>
    private sealed class ScoreRoot(ChosenDefinitionView? chosen) : IFields
    {
        public ConditionValue Get(string name) => name switch
        {
            "code" => chosen is null ? ConditionValue.Null : ConditionValue.Of(chosen.Code),
            "score" => ConditionValue.Of((long)(chosen?.Score ?? 0)),
            "coverage" => chosen is null ? ConditionValue.Missing : ConditionValue.Of((long)chosen.Coverage),
            "qualified" => ConditionValue.Of(chosen is not null && chosen.Score >= chosen.QualifyAt),
            _ => ConditionValue.Missing,
        };
    }
}
