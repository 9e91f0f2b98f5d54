using System.Collections.Frozen;

namespace SignalHub.Leads.Identity;

/// <summary>What an e-mail's host says about the company behind the address.</summary>
public enum MailHost
{
    /// <summary>An organisation's own domain.</summary>
    Organisation,

    /// <summary>A mailbox provider for anyone.</summary>
    FreeMail,

    /// <summary>A forwarding service that hides the real address.</summary>
    Relay,
}

/// <summary>
/// A workspace's own word on free mail: domains that count as free mail, and domains that do not although the lists say so.
/// Canonical domains; each covers its subdomains; <see cref="Add"/> wins over <see cref="Remove"/>.
/// </summary>
public sealed record FreeMailOverrides(IReadOnlySet<string> Add, IReadOnlySet<string> Remove)
{
    public static FreeMailOverrides None { get; } = new(FrozenSet<string>.Empty, FrozenSet<string>.Empty);

    public bool IsEmpty => Add.Count == 0 && Remove.Count == 0;

    /// <summary>From domains as a person typed them; what is no domain is left out.</summary>
    public static FreeMailOverrides From(IEnumerable<string> add, IEnumerable<string> remove) => new(Canonical(add), Canonical(remove));

    private static FrozenSet<string> Canonical(IEnumerable<string> domains) =>
        domains.Select(d => HostName.Canonicalize(IdentityText.Clean(d), out var host) is null ? host : "").Where(d => d.Length > 0).ToFrozenSet();
}

/// <summary>The vendored lists of free-mail providers and relays (made by tools/free-mail/make.sh). Read on first use.</summary>
public static class FreeMail
{
    private static readonly Lazy<Dictionary<string, MailHost>> Hosts = new(Load);

    /// <summary>
    /// Classifies a canonical host: it or one of its parents, down to its registrable domain, is on a list. The most specific
    /// name decides, the workspace's word before the lists.
    /// </summary>
    /// <param name="host">Canonical host.</param>
    /// <param name="registrableLength">Length of the registrable domain at its end; 0 = the host is a suffix, look at it alone.</param>
    /// <param name="overrides">The workspace's own word.</param>
    public static MailHost Classify(string host, int registrableLength, FreeMailOverrides overrides)
    {
        var lookup = Hosts.Value.GetAlternateLookup<ReadOnlySpan<char>>();
        var shortest = registrableLength == 0 ? host.Length : registrableLength;
        var own = !overrides.IsEmpty;
        for (var rest = host.AsSpan(); rest.Length >= shortest; rest = rest[(rest.IndexOf('.') + 1)..])
        {
            if (own && overrides.Add.Contains(rest.ToString()))
            {
                return MailHost.FreeMail;
            }
            if (own && overrides.Remove.Contains(rest.ToString()))
            {
                return MailHost.Organisation;
            }
            if (lookup.TryGetValue(rest, out var listed))
            {
                return listed;
            }
            if (rest.IndexOf('.') < 0)
            {
                break;
            }
        }
        return MailHost.Organisation;
    }

    private static Dictionary<string, MailHost> Load()
    {
        var hosts = new Dictionary<string, MailHost>(9_216);
        Read("Identity/free_mail_domains.txt", MailHost.FreeMail, hosts);
        Read("Identity/relay_domains.txt", MailHost.Relay, hosts);
        return hosts;
    }

    private static void Read(string resource, MailHost kind, Dictionary<string, MailHost> hosts)
    {
        using var stream = typeof(FreeMail).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The embedded resource {resource} is missing.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#')
            {
                hosts[line] = kind;
            }
        }
    }
}
