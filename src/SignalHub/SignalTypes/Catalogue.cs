using System.Collections.Frozen;

namespace SignalHub.SignalTypes;

/// <summary>A type every workspace has.</summary>
/// <param name="Key">Snake case, as stored: <c>company_change</c>.</param>
/// <param name="Alias">Camel case, as catalogue routes show it and clients may send it: <c>companyChange</c>.</param>
/// <param name="Name">For people.</param>
/// <param name="Description">What such a signal tells.</param>
/// <param name="Categories">contact, growth, intent, news, risk, custom; the first one is the main one.</param>
/// <param name="Subject"><c>contact</c> or <c>company</c>; null: either.</param>
/// <param name="Cadence"><c>daily</c>, <c>weekly</c> or <c>monthly</c>: how often such signals are looked for; null: whenever they are sent.</param>
/// <param name="NewsEventTypes">News types: the kinds of event that can be picked out (sub-filter <c>newsEventTypes</c>).</param>
public sealed record BuiltInType(
    string Key, string Alias, string Name, string Description, IReadOnlyList<string> Categories, string? Subject, string? Cadence,
    IReadOnlyList<string> NewsEventTypes);

/// <summary>The built-in signal types: seed 002's catalogue and <c>custom_event</c>.</summary>
public static class Catalogue
{
    public const string Contact = "contact";
    public const string Company = "company";
    private const string Daily = "daily";
    private const string Weekly = "weekly";
    private const string Monthly = "monthly";
    private const string Growth = "growth";
    private const string Intent = "intent";
    private const string News = "news";
    private const string Risk = "risk";

    /// <summary>In the order in which they are shown.</summary>
    public static IReadOnlyList<BuiltInType> All { get; } =
    [
        new("custom_event", "customEvent", "Custom event", "Anything your own systems send that has no type of its own.", ["custom"], null, null, []),

        Of("company_change", "companyChange", "Job change", "A contact works at another company now.", Contact, Weekly),
        Of("promotion", "promotion", "Promotion", "A contact rose within the company.", Contact, Weekly),

        .. Windows("headcount_increase", "headcountIncrease", "Headcount increase", "The company has more employees than", Growth),
        Of("surge_in_hiring", "surgeInHiring", "Surge in hiring", "The company advertises far more jobs than usual.", Growth, Weekly),
        Of("surge_in_hiring_by_department", "surgeInHiringByDepartment", "Hiring surge by department", "One department hires far more than usual.", Growth, Weekly),
        Of("surge_in_hiring_by_location", "surgeInHiringByLocation", "Hiring surge by location", "The company hires far more than usual in one place.", Growth, Weekly),
        Of("new_job_post", "newJobPost", "New job posting", "A job was advertised.", Growth, Weekly),
        Of("new_location", "newLocation", "New location", "The company opened an office or moved into a new place.", Growth, Weekly),
        Of("website_traffic_increase", "websiteTrafficIncrease", "Website traffic increase", "More people visit the company's website.", Growth, Monthly),
        Of("it_spend_increase", "itSpendIncrease", "IT spend increase", "The company is estimated to spend more on IT.", Growth, Monthly),

        Of("intent", "intent", "Intent", "The company reads unusually much about your topics.", Intent, Weekly),
        Of("intent_by_geography", "intentByGeography", "Intent by geography", "Readers at one place of the company read unusually much about your topics.", Intent, Weekly),
        Of("website_visitors", "websiteVisitors", "Website visitors", "Somebody at the company visited your website.", Intent, Daily),

        NewsOf("financial_events_news", "financialEventsNews", "Financial events", "News of money raised or invested.",
            ["funding_round", "asset_investment", "strategic_investment", "ipo"]),
        NewsOf("commercial_activity_news", "commercialActivityNews", "Commercial activity", "News of partners, customers and vendors won.",
            ["new_partnership", "new_customer", "new_vendor"]),
        NewsOf("corporate_strategy_news", "corporateStrategyNews", "Corporate strategy", "News of a change of course.",
            ["merger_or_acquisition", "facility_expansion", "new_location", "facility_closure", "asset_sale", "lawsuit_filed"]),
        NewsOf("product_activity_news", "productActivityNews", "Product activity", "News about the company's products.",
            ["product_launch", "product_development", "product_integration"]),
        NewsOf("people_news", "peopleNews", "People news", "News of people who come, go and rise.",
            ["executive_hire", "executive_departure", "executive_promotion", "headcount_change"]),
        NewsOf("market_intelligence_news", "marketIntelligenceNews", "Market intelligence", "News of the company in its market.",
            ["event_participation", "award_or_recognition", "competitor_activity"]),
        NewsOf("risk_news", "riskNews", "Risk news", "News of trouble.", ["security_issue", "lawsuit_faced"]) with { Categories = [News, Risk] },

        .. Windows("headcount_decrease", "headcountDecrease", "Headcount decrease", "The company has fewer employees than", Risk),
        Of("website_traffic_decrease", "websiteTrafficDecrease", "Website traffic decrease", "Fewer people visit the company's website.", Risk, Monthly),
        Of("it_spend_decrease", "itSpendDecrease", "IT spend decrease", "The company is estimated to spend less on IT.", Risk, Monthly),
    ];

    private static readonly FrozenDictionary<string, BuiltInType> _byKeyOrAlias = All
        .SelectMany(type => new[] { KeyValuePair.Create(type.Key, type), KeyValuePair.Create(type.Alias.ToLowerInvariant(), type) })
        .DistinctBy(entry => entry.Key)
        .ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The key of a type called so, of a built-in one also by its alias; null for what cannot be a name.</summary>
    public static string? KeyOf(string name) => TypeKey.Normalise(name) is { } key ? Find(key)?.Key ?? key : null;

    /// <summary>By its key, or by its alias in the form <see cref="TypeKey.Normalise"/> gives it.</summary>
    public static BuiltInType? Find(string normalised) => _byKeyOrAlias.GetValueOrDefault(normalised);

    private static BuiltInType Of(string key, string alias, string name, string description, string category, string cadence) =>
        new(key, alias, name, description, [category], category == Contact ? Contact : Company, cadence, []);

    private static BuiltInType NewsOf(string key, string alias, string name, string description, string[] events) =>
        new(key, alias, name, description, [News], Company, Weekly, events);

    private static IEnumerable<BuiltInType> Windows(string key, string alias, string name, string description, string category)
    {
        foreach (var (months, since) in new[] { (1, "a month ago"), (3, "3 months ago"), (6, "6 months ago"), (12, "12 months ago") })
        {
            yield return Of($"{key}_{months}m", $"{alias}{months}m", $"{name} ({months} {(months == 1 ? "month" : "months")})", $"{description} {since}.",
                category, Monthly);
        }
    }
}
