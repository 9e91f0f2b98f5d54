using System.Runtime.CompilerServices;
using SignalHub.Leads.Identity;
using SignalHub.Signals.Intake;

namespace SignalHub.Tests.Support;

/// <summary>Signals that tests send.</summary>
internal static class Sample
{
    /// <summary>The example of the Unstuck seed, its dots replaced by a real title.</summary>
    public static object Seed(string title = "VP Engineering") => new
    {
        signal_type = "custom_event",
        source = "your-system-name",
        event_name = "user_invited_teammate",
        occurred_at = "2026-03-14T08:30:00Z",
        identity = new
        {
            email = "person@company.com",
            linkedin_url = "https://...",
            company_domain = "company.com",
            first_name = "...",
            last_name = "...",
            title,
        },
        context = new { team_size = 12, plan_tier = "free" },
    };

    /// <summary>A signal that qualifies by the sample definitions, of the person with that number.</summary>
    public static object Qualified(int person, string type = "custom_event", string source = "app", bool backfill = false, object? context = null) => new
    {
        signal_type = type,
        source,
        occurred_at = "2026-03-14T08:30:00Z",
        identity = new { email = $"person{person}@company.com", company_domain = "company.com", title = "VP Engineering" },
        backfill,
        context = context ?? new { team_size = 12, plan_tier = "free" },
    };

    /// <summary>Whom such a signal is about.</summary>
    public static CanonicalIdentity Identity(string email) => new()
    {
        Keys = [new IdentityKey(IdentityKeyKind.Email, email, email, Strong: true, "/identity/email")], AccountKeys = [], SentKeys = [], Warnings = [], Problems = [],
    };

    /// <summary>A signal on its way of which only matters whom it is about, and how large it is.</summary>
    public static IntakeItem Item(CanonicalIdentity identity, int size = 0)
    {
        var item = (IntakeItem)RuntimeHelpers.GetUninitializedObject(typeof(IntakeItem));
        typeof(IntakeItem).GetProperty(nameof(IntakeItem.Identity))!.SetValue(item, identity);
        typeof(IntakeItem).GetProperty(nameof(IntakeItem.Size))!.SetValue(item, size);
        return item;
    }

    /// <summary>A signal of somebody by e-mail, at a minute of the test's morning.</summary>
    public static object Signal(string email, int minute = 0, string source = "app", object? context = null) => new
    {
        signal_type = "custom_event",
        source,
        occurred_at = $"2026-03-14T08:{minute:00}:00Z",
        identity = new { email },
        context = context ?? new { },
    };
}
