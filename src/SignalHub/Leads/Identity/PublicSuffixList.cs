using System.Globalization;
using System.Text;

namespace SignalHub.Leads.Identity;

/// <summary>
/// The Public Suffix List (https://publicsuffix.org/list/), ICANN and private section: which part of a host is a suffix under
/// which anyone can register. Reads the format as published: one rule a line up to the first space, <c>//</c> comments,
/// <c>*.</c> wildcards, <c>!</c> exceptions. Immutable; a look-up allocates nothing.
/// </summary>
public sealed class PublicSuffixList
{
    private const string Resource = "Identity/public_suffix_list.dat";

    // A guard against being given something that is not the list at all.
    private const int FewestRules = 1_000;

    private static readonly Lazy<PublicSuffixList> Vendored = new(LoadVendored);

    private readonly Dictionary<string, Rule> _rules;
    private readonly Dictionary<string, Rule>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    private PublicSuffixList(Dictionary<string, Rule> rules)
    {
        _rules = rules;
        _lookup = rules.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    [Flags]
    private enum Rule : byte
    {
        Plain = 1,
        Wildcard = 2,
        Exception = 4,
    }

    /// <summary>The vendored copy, read on first use (a few milliseconds).</summary>
    public static PublicSuffixList Default => Vendored.Value;

    /// <summary>How many names carry a rule.</summary>
    public int Count => _rules.Count;

    /// <summary>
    /// Reads a newer copy (setting <c>SignalHub__PublicSuffixList</c>). Throws <see cref="InvalidDataException"/> when it holds
    /// too few rules to be the list: a wrong file must end the start, not turn every suffix into a company.
    /// </summary>
    public static PublicSuffixList Load(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
        var list = Parse(reader.ReadToEnd());
        return list.Count >= FewestRules
            ? list
            : throw new InvalidDataException($"This is not a Public Suffix List: it holds {list.Count} rules, the real one about 10,000.");
    }

    /// <summary>Reads the format of the published list, of any length.</summary>
    public static PublicSuffixList Parse(ReadOnlySpan<char> text)
    {
        var rules = new Dictionary<string, Rule>(12_288);
        var idn = new IdnMapping();
        foreach (var range in text.Split('\n'))
        {
            var line = text[range].Trim();
            var space = line.IndexOfAny(' ', '\t');
            line = space < 0 ? line : line[..space];
            if (line.IsEmpty || line.StartsWith("//"))
            {
                continue;
            }
            var kind = line[0] == '!' ? Rule.Exception : line.StartsWith("*.") ? Rule.Wildcard : Rule.Plain;
            line = kind switch { Rule.Exception => line[1..], Rule.Wildcard => line[2..], _ => line };
            if (ToAscii(line.Trim('.'), idn) is { } name)
            {
                rules[name] = rules.GetValueOrDefault(name) | kind;
            }
        }
        return new PublicSuffixList(rules);
    }

    /// <summary>
    /// The length of the public suffix at the end of a canonical host (lower-case ASCII, no root dot) by the longest rule;
    /// by the default rule <c>*</c> (the last label) with <paramref name="known"/> false when none matches.
    /// </summary>
    public int SuffixLength(ReadOnlySpan<char> host, out bool known)
    {
        known = true;
        var rest = host;
        while (true)
        {
            var dot = rest.IndexOf('.');
            if (_lookup.TryGetValue(rest, out var rule))
            {
                if ((rule & Rule.Exception) != 0)
                {
                    return rest.Length - dot - 1;
                }
                if ((rule & Rule.Plain) != 0)
                {
                    return rest.Length;
                }
            }
            if (dot < 0)
            {
                known = false;
                return rest.Length;
            }
            var parent = rest[(dot + 1)..];
            if (_lookup.TryGetValue(parent, out rule) && (rule & Rule.Wildcard) != 0)
            {
                return rest.Length;
            }
            rest = parent;
        }
    }

    /// <summary>
    /// The length of the registrable domain (public suffix and one label) at the end of a canonical host; 0 when the host is a
    /// bare suffix.
    /// </summary>
    public int RegistrableLength(ReadOnlySpan<char> host, out bool known)
    {
        var suffix = SuffixLength(host, out known);
        if (suffix >= host.Length)
        {
            return 0;
        }
        var before = host[..(host.Length - suffix - 1)];
        return host.Length - (before.LastIndexOf('.') + 1);
    }

    private static string? ToAscii(ReadOnlySpan<char> name, IdnMapping idn)
    {
        if (name.IsEmpty)
        {
            return null;
        }
        if (Ascii.IsValid(name))
        {
            return name.ContainsAnyInRange('A', 'Z') ? name.ToString().ToLowerInvariant() : name.ToString();
        }
        try
        {
            return idn.GetAscii(name.ToString()).ToLowerInvariant();
        }
        catch (ArgumentException)
        {
            // A rule this ICU cannot express can match no host it can express either.
            return null;
        }
    }

    private static PublicSuffixList LoadVendored()
    {
        using var stream = typeof(PublicSuffixList).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The embedded resource {Resource} is missing.");
        return Load(stream);
    }
}
