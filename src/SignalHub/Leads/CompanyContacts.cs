using SignalHub.Leads.Identity;
using SignalHub.Resources;
using SignalHub.Storage;

namespace SignalHub.Leads;

/// <summary>Somebody at a company, as far as others are told.</summary>
public sealed record CompanyContact(
    Guid Id, Guid AccountId, string? FirstName, string? LastName, string? Title, string? Seniority, string? Email, string? Phone, DateTimeOffset CreatedAt);

/// <summary>Which contacts of a company an event about it names. Pure.</summary>
public static class CompanyContacts
{
    /// <summary>People in one event.</summary>
    public const int Most = 10;

    /// <summary>Who decides comes first; unknown seniority comes last.</summary>
    internal static readonly string[] BySeniority = ["founder", "c_level", "vp", "head", "director", "manager", "senior", "ic"];

    /// <summary>First whom the signal is about, then by seniority, then the newest.</summary>
    /// <param name="about">The contact of the signal.</param>
    /// <param name="ofCompany">People of its company; may be more than wanted, and may include <paramref name="about"/>.</param>
    public static IReadOnlyList<DetectedContact> Choose(CompanyContact? about, IEnumerable<CompanyContact> ofCompany)
    {
        var others = ofCompany.Where(c => c.Id != about?.Id)
            .OrderBy(Rank).ThenByDescending(c => c.CreatedAt).ThenByDescending(c => c.Id);
        return [.. (about is null ? others : others.Prepend(about)).Take(Most).Select(View)];
    }

    /// <summary>What is stored, with what a batch made of it: people it added, changed, moved to another company or merged.</summary>
    public static ILookup<Guid, CompanyContact> Current(IEnumerable<CompanyContact> stored, IdentityWorld world) =>
        stored.Where(c => !world.Contacts.ContainsKey(c.Id))
            .Concat(world.Contacts.Values.Where(c => c is { AccountId: not null, MergedInto: null, IsTransient: false }).Select(Of))
            .ToLookup(c => c.AccountId);

    public static CompanyContact Of(ContactState c) =>
        new(c.Id, c.AccountId ?? Guid.Empty, c.FirstName, c.LastName, c.Title, c.Seniority, c.Email, c.Phone, c.CreatedAt);

    /// <summary>Of what is shown; null for nobody.</summary>
    public static CompanyContact? Of(ContactView? c) => c is null || !Ids.TryParse(Ids.Contact, c.Id, out var id)
        ? null
        : new CompanyContact(id, Ids.TryParse(Ids.Account, c.AccountId, out var account) ? account : Guid.Empty, c.FirstName, c.LastName, c.Title,
            c.Seniority, c.Email, c.Phone, c.CreatedAt);

    private static int Rank(CompanyContact contact)
    {
        var rank = Array.IndexOf(BySeniority, contact.Seniority);
        return rank < 0 ? BySeniority.Length : rank;
    }

    private static DetectedContact View(CompanyContact c)
    {
        string?[] names = [c.FirstName, c.LastName];
        var name = string.Join(' ', names.OfType<string>());
        return new DetectedContact(name.Length == 0 ? null : name, c.Title, c.Email, c.Phone);
    }
}
