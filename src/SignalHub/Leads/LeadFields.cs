using SignalHub.Conditions;

namespace SignalHub.Leads;

/// <summary>A contact as the root <c>person</c> of conditions.</summary>
public sealed class PersonFields(ContactState contact) : IFields
{
    public ConditionValue Get(string name) => name switch
    {
        "email" => ConditionValue.Of(contact.Email),
        "email_class" => ConditionValue.Of(contact.EmailClass),
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

/// <summary>An account as the root <c>company</c> of conditions: its own fields, then its facts by name.</summary>
public sealed class CompanyFields(AccountState account) : IFields
{
    public ConditionValue Get(string name) => name switch
    {
        "domain" => ConditionValue.Of(account.Domain),
        "name" => ConditionValue.Of(account.Name),
        _ => account.Facts.TryGetValue(name, out var fact) ? ConditionValue.Of(fact.Value) : ConditionValue.Missing,
    };
}

/// <summary>A lead as the root <c>lead</c> of conditions, with the signal at hand counted in.</summary>
public sealed class LeadFields(LeadState lead) : IFields
{
    public ConditionValue Get(string name) => name switch
    {
        "id" => ConditionValue.Of(Storage.Ids.Text(Storage.Ids.Lead, lead.Id)),
        "icp_code" => ConditionValue.Of(lead.IcpCode),
        "icp_score" => ConditionValue.Of((long?)lead.IcpScore),
        "persona_code" => ConditionValue.Of(lead.PersonaCode),
        "persona_score" => ConditionValue.Of((long?)lead.PersonaScore),
        "qualified" => ConditionValue.Of(lead.Qualified),
        "signal_count" => ConditionValue.Of(lead.SignalCount),
        "first_source" => ConditionValue.Of(lead.FirstSource),
        "last_source" => ConditionValue.Of(lead.LastSource),
        "first_signal_at" => ConditionValue.Of(lead.FirstSignalAt),
        "last_signal_at" => ConditionValue.Of(lead.LastSignalAt),
        _ => ConditionValue.Missing,
    };
}
