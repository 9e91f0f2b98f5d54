namespace SignalHub.Leads.Identity;

/// <summary>
/// What canonicalisation depends on beside its input: the suffix list of this installation and the workspace's word on free
/// mail. Make one at start, and per workspace <c>rules with { Overrides = … }</c>.
/// </summary>
public sealed record IdentityRules(PublicSuffixList Suffixes, FreeMailOverrides Overrides)
{
    /// <summary>The vendored suffix list, no overrides.</summary>
    public static IdentityRules Default => new(PublicSuffixList.Default, FreeMailOverrides.None);
}
