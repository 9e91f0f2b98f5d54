namespace SignalHub.Leads.Identity;

/// <summary>Collects keys and issues field by field.</summary>
internal sealed class CanonicalIdentityBuilder(IdentityInput input, IdentityRules rules)
{
    /// <summary>As many as one contact keeps (spec: at most 5 e-mails).</summary>
    public const int MostEmails = 5;

    private const string EmailField = "/identity/email";
    private const string LinkedInField = "/identity/linkedin_url";
    private const string DomainField = "/identity/company_domain";
    private const string CompanyLinkedInField = "/identity/company_linkedin_url";
    private const string CompanyNameField = "/identity/company_name";

    private static readonly string[] EmailFields = [.. Enumerable.Range(0, MostEmails).Select(i => $"/identity/emails/{i}")];

    private readonly List<IdentityKey> _people = new(4);
    private readonly List<IdentityKey> _companies = new(2);
    private List<IdentityIssue>? _issues;
    private List<IdentityIssue>? _failures;
    private EmailKey? _firstEmail;
    private EmailKey? _companyEmail;
    private string? _companyEmailField;
    private DomainKey? _domain;
    private string? _nameFromDomain;

    public CanonicalIdentity Build()
    {
        ReadEmail(input.Email, EmailField);
        ReadEmails();
        ReadLinkedIn(input.LinkedInUrl, LinkedInField);
        ReadDomain(input.CompanyDomain);
        ReadCompanyLinkedIn();
        var sent = SentKeys();
        AddDerivedDomain();
        var companyName = Name(input.CompanyName, CompanyNameField, isName: true) ?? _nameFromDomain;
        if (AddName(companyName) && sent.Length == 0)
        {
            sent = SentKeys();      // beside a better key it would make another event of what a route without it calls the same
        }
        var firstName = Name(input.FirstName, "/identity/first_name", isName: true);
        var lastName = Name(input.LastName, "/identity/last_name", isName: true);
        var title = Name(input.Title, "/identity/title", isName: false);
        var phone = Name(input.Phone, "/identity/phone", isName: false);
        return new CanonicalIdentity
        {
            Keys = _companies.Count == 0 ? _people : [.. _people, .. _companies],
            AccountKeys = _companies,
            SentKeys = sent,
            Warnings = _issues ?? [],
            Problems = _people.Count + _companies.Count == 0 ? _failures ?? [] : [],
            EmailClass = _firstEmail?.Class,
            Email = _firstEmail?.ForSending,
            CompanyDomain = _domain?.Domain ?? _companyEmail?.CompanyDomain,
            DerivedCompanyDomain = _domain is null && _companyEmail is not null,
            CompanyName = companyName,
            FirstName = firstName,
            LastName = lastName,
            Title = title,
            Phone = phone,
        };
    }

    private void ReadEmails()
    {
        if (input.Emails is not { Count: > 0 } emails)
        {
            return;
        }
        for (var i = 0; i < emails.Count && i < MostEmails; i++)
        {
            ReadEmail(emails[i], EmailFields[i]);
        }
        if (emails.Count > MostEmails)
        {
            Warn(IdentityCodes.TooManyEmails, "/identity/emails");
        }
    }

    private void ReadEmail(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }
        var result = EmailKey.Parse(text, rules);
        if (result.Value is not { } email)
        {
            Fail(result.Code!, field);
            return;
        }
        if (!AddPerson(new IdentityKey(IdentityKeyKind.Email, email.Key, email.ForSending, email.Strong, field)))
        {
            return;
        }
        _firstEmail ??= email;
        if (email.CompanyDomain is not null && _companyEmail is null)
        {
            _companyEmail = email;
            _companyEmailField = field;
        }
        if (email.LooksLikeTestData)
        {
            Warn(IdentityCodes.TestData, field);
        }
    }

    private void ReadLinkedIn(string? text, string field)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }
        var result = LinkedInKey.Parse(text);
        if (result.Value is not { } key)
        {
            Fail(result.Code!, field);
        }
        else if (key.Kind == LinkedInKind.Company)
        {
            AddCompany(new IdentityKey(IdentityKeyKind.CompanyLinkedIn, key.Key, key.Display, Strong: false, field));
        }
        else
        {
            var kind = key.Kind == LinkedInKind.Person ? IdentityKeyKind.LinkedIn : IdentityKeyKind.LinkedInUrn;
            AddPerson(new IdentityKey(kind, key.Key, key.Display, Strong: true, field));
        }
    }

    private void ReadDomain(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }
        var result = DomainKey.Parse(text, rules);
        if (result.Value is { } domain)
        {
            _domain = domain;
            // First of the company keys, whatever came before: the explicit domain decides the account.
            _companies.Insert(0, new IdentityKey(IdentityKeyKind.CompanyDomain, domain.Domain, domain.Domain, Strong: false, DomainField));
            if (domain.UnknownSuffix)
            {
                Warn(IdentityCodes.UnknownSuffix, DomainField);
            }
            if (DifferingEmail(domain.Domain))
            {
                Warn(IdentityCodes.DomainMismatch, DomainField);
            }
            return;
        }
        Fail(result.Code!, DomainField);
        if (result.Code == IdentityCodes.SocialHost && LinkedInKey.Parse(text).Value is { Kind: LinkedInKind.Company } page)
        {
            AddCompany(new IdentityKey(IdentityKeyKind.CompanyLinkedIn, page.Key, page.Display, Strong: false, DomainField));
        }
        else if (result.Code == IdentityCodes.BadDomain && LooksLikeName(text))
        {
            _nameFromDomain = IdentityText.CleanName(text);
        }
    }

    private bool DifferingEmail(string domain) => _companyEmail is { CompanyDomain: { } derived } && derived != domain;

    private void ReadCompanyLinkedIn()
    {
        if (string.IsNullOrEmpty(input.CompanyLinkedInUrl))
        {
            return;
        }
        var result = LinkedInKey.Parse(input.CompanyLinkedInUrl);
        if (result.Value is { Kind: LinkedInKind.Company } page)
        {
            AddCompany(new IdentityKey(IdentityKeyKind.CompanyLinkedIn, page.Key, page.Display, Strong: false, CompanyLinkedInField));
        }
        else
        {
            // A profile here may be anyone's (the founder's, a contact's): it must not decide who the signal is about.
            Fail(result.Code ?? IdentityCodes.BadLinkedIn, CompanyLinkedInField);
        }
    }

    private void AddDerivedDomain()
    {
        if (_domain is not null || _companyEmail is not { CompanyDomain: { } domain })
        {
            return;
        }
        _companies.Add(new IdentityKey(IdentityKeyKind.CompanyDomain, domain, domain, Strong: false, _companyEmailField!));
        if (_companyEmail.UnknownSuffix)
        {
            Warn(IdentityCodes.UnknownSuffix, _companyEmailField!);
        }
    }

    /// <summary>Last of the company keys: every other one is better.</summary>
    private bool AddName(string? companyName)
    {
        if (!input.FindsCompanyByName || companyName is null || CompanyNameKey.Of(companyName) is not { } key)
        {
            return false;
        }
        _companies.Add(new IdentityKey(IdentityKeyKind.CompanyName, key, companyName, Strong: false, CompanyNameField));
        return true;
    }

    private string? Name(string? text, string field, bool isName)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }
        var cleaned = IdentityText.CleanName(text);
        if (cleaned is null)
        {
            return null;
        }
        if (!(isName ? Fillers.IsNameFiller(cleaned) : Fillers.IsFiller(cleaned)))
        {
            return cleaned;
        }
        Warn(IdentityCodes.Placeholder, field);
        return null;
    }

    private string[] SentKeys()
    {
        var keys = new string[_people.Count + _companies.Count];
        for (var i = 0; i < keys.Length; i++)
        {
            var key = i < _people.Count ? _people[i] : _companies[i - _people.Count];
            keys[i] = $"{key.KindName}:{key.Key}";
        }
        Array.Sort(keys, StringComparer.Ordinal);
        return keys;
    }

    private bool AddPerson(IdentityKey key) => Add(_people, key);

    private void AddCompany(IdentityKey key) => Add(_companies, key);

    private static bool Add(List<IdentityKey> keys, IdentityKey key)
    {
        foreach (var known in keys)
        {
            if (known.Kind == key.Kind && known.Key == key.Key)
            {
                return false;
            }
        }
        keys.Add(key);
        return true;
    }

    private void Fail(string code, string field)
    {
        var issue = Warn(code, field);
        (_failures ??= []).Add(issue);
    }

    private IdentityIssue Warn(string code, string field)
    {
        var issue = new IdentityIssue(code, field, $"{field["/identity/".Length..].Replace('/', ' ')} {IdentityCodes.Detail(code)}");
        (_issues ??= []).Add(issue);
        return issue;
    }

    /// <summary>"Acme Inc" in the domain field: words, no dot, no @ and no slash.</summary>
    private static bool LooksLikeName(string text) =>
        text.AsSpan().IndexOfAny("@/\\:") < 0 && text.AsSpan().Trim().Contains(' ') && text.AsSpan().ContainsAnyInRange('A', 'z');
}
