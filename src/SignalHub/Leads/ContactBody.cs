using SignalHub.Http;
using SignalHub.Leads.Identity;

namespace SignalHub.Leads;

/// <summary>What is known of a person. Only what is given changes; blank is as absent.</summary>
/// <param name="FirstName">At most 500 characters, as every other name.</param>
/// <param name="Title">Seniority and function are read from it.</param>
/// <param name="LinkedinUrl">Their profile; kept beside what is known, at most two.</param>
/// <param name="CompanyDomain">Where they work; created if it is not known. Absent: the address's domain, where nothing better is known.</param>
/// <param name="CompanyName">What that company is called.</param>
public sealed record ContactBody(
    string? FirstName, string? LastName, string? Title, string? Phone, string? LinkedinUrl, string? CompanyDomain, string? CompanyName)
{
    public const int MaxLength = 500;

    /// <summary>Everything that is wrong with its lengths, in the order of the fields.</summary>
    public IReadOnlyList<FieldError> Check() =>
        [.. new[]
            {
                ("/first_name", FirstName), ("/last_name", LastName), ("/title", Title), ("/phone", Phone), ("/company_name", CompanyName),
            }
            .Where(f => f.Item2?.Trim().Length > MaxLength)
            .Select(f => new FieldError(f.Item1, ProblemCodes.TooLong.Code, $"{f.Item1} is longer than {MaxLength} characters."))];

    /// <summary>As the identity of a signal.</summary>
    public IdentityInput ToIdentity(string email) => new()
    {
        Email = email,
        FirstName = FirstName,
        LastName = LastName,
        Title = Title,
        Phone = Phone,
        LinkedInUrl = LinkedinUrl,
        CompanyDomain = CompanyDomain,
        CompanyName = CompanyName,
    };
}
