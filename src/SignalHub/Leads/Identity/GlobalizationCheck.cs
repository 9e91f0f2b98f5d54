using System.Globalization;

namespace SignalHub.Leads.Identity;

/// <summary>Whether this process has ICU. Without it IDN and NFC silently give other keys, and contacts would split.</summary>
public static class GlobalizationCheck
{
    /// <summary>Null when all is well, else one line that ends the start.</summary>
    public static string? Verify()
    {
        const string Remedy = "Install ICU (Debian: libicu72, Alpine: icu-libs icu-data-full) and unset DOTNET_SYSTEM_GLOBALIZATION_INVARIANT.";
        try
        {
            if (new IdnMapping { UseStd3AsciiRules = true }.GetAscii("ａｃｍｅ.com") != "acme.com")
            {
                return $"Internationalised domain names do not work in this process. {Remedy}";
            }
            return "cafe\u0301".Normalize().Length == 4 ? null : $"Unicode normalisation does not work in this process. {Remedy}";
        }
        catch (Exception e) when (e is ArgumentException or PlatformNotSupportedException)
        {
            return $"Internationalised text does not work in this process ({e.GetType().Name}). {Remedy}";
        }
    }
}
