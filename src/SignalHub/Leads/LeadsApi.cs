using Microsoft.AspNetCore.Http.HttpResults;
using SignalHub.Http;
using SignalHub.Qualification;
using SignalHub.Resources;
using SignalHub.Storage;
using SignalHub.Workspaces;

namespace SignalHub.Leads;

/// <summary>Routes and services of the slice, and the handlers of leads. A lead's timeline is in the slice of signals.</summary>
public static class LeadsApi
{
    public static IServiceCollection AddLeads(this IServiceCollection services)
    {
        services.AddSingleton<LeadStore>();
        services.AddSingleton<ProfileStore>();
        services.AddSingleton<ProfileFinder>();
        services.AddSingleton<CompanyContactStore>();
        services.AddSingleton<AccountFactStore>();
        services.AddSingleton<AccountEditor>();
        services.AddSingleton<ContactEditStore>();
        services.AddSingleton<ContactEditor>();
        return services;
    }

    public static void MapLeads(this IEndpointRouteBuilder routes)
    {
        var leads = routes.MapGroup("/leads").WithTags("Leads").RequireScope(Scopes.Read, liveOnly: true);
        leads.MapGet("/", ListLeads).RefuseUnknownParameters().Produces<Page<LeadView>>().ProducesProblems(400, 401, 403, 503);
        leads.MapGet("/{id}", GetLead).Produces<LeadView>().ProducesProblems(401, 403, 404, 503);
        leads.MapGet("/{id}/qualification", GetLeadQualification).Produces<QualificationView>().ProducesProblems(401, 403, 404, 503);

        var accounts = routes.MapGroup("/accounts").WithTags("Accounts and contacts");
        accounts.MapGet("/", AccountsApi.ListAccounts).RequireScope(Scopes.Read, liveOnly: true).RefuseUnknownParameters()
            .Produces<Page<AccountView>>().ProducesProblems(400, 401, 403, 503);
        accounts.MapGet("/{id}", AccountsApi.GetAccount).RequireScope(Scopes.Read, liveOnly: true)
            .Produces<AccountView>().ProducesProblems(401, 403, 404, 503);
        accounts.MapPut("/{id}", AccountsApi.PutAccount).RequireScope(Scopes.Manage, liveOnly: true)
            .WithRequestExample("""{"name":"Acme","attributes":{"employees":320,"industry":"software","country":"DE"}}""")
            .Produces<AccountView>().Produces<AccountView>(201).ProducesProblems(400, 401, 403, 404, 413, 415, 422, 503);

        var contacts = routes.MapGroup("/contacts").WithTags("Accounts and contacts");
        contacts.MapGet("/", ContactsApi.ListContacts).RequireScope(Scopes.Read, liveOnly: true).RefuseUnknownParameters()
            .Produces<Page<ContactView>>().ProducesProblems(400, 401, 403, 503);
        contacts.MapGet("/{id}", ContactsApi.GetContact).RequireScope(Scopes.Read, liveOnly: true)
            .Produces<ContactView>().ProducesProblems(401, 403, 404, 503);
        contacts.MapPut("/{id}", ContactsApi.PutContact).RequireScope(Scopes.Manage, liveOnly: true)
            .WithRequestExample("""{"first_name":"Sam","last_name":"Vimes","title":"Head of Security","company_domain":"northwind.example"}""")
            .Produces<ContactView>().Produces<ContactView>(201).ProducesProblems(400, 401, 403, 404, 409, 413, 415, 422, 503);
    }

    /// <summary>Lists leads, newest first by creation.</summary>
    /// <remarks>A lead is what the workspace knows of a person, or of a company when no person is known. Merged leads are shown once.</remarks>
    /// <param name="qualified">Only leads whose newest scored signal qualified (true) or did not (false).</param>
    /// <param name="icpCode">Only leads of that ICP.</param>
    /// <param name="personaCode">Only leads of that persona.</param>
    /// <param name="source">Only leads that have a signal of that source.</param>
    /// <param name="kind">Only people's leads (`contact`) or companies' own (`account`).</param>
    /// <param name="minIcpScore">Only leads with at least that ICP score, 0–100.</param>
    /// <param name="since">Only leads created at or after that time: RFC 3339, or a date.</param>
    /// <param name="until">Only leads created before that time: RFC 3339, or a date.</param>
    internal static async Task<Results<Ok<Page<LeadView>>, Problem>> ListLeads(
        HttpContext context, Caller caller, PageRequest page, LeadStore leads, QueryFlag qualified, QueryText icpCode, QueryText personaCode,
        QueryText source, QueryText kind, QueryNumber minIcpScore, QueryInstant since, QueryInstant until, CancellationToken cancellationToken)
    {
        if (kind.Value is not (null or ViewMapping.ContactKind or ViewMapping.AccountKind))
        {
            return new Problem(ProblemCodes.InvalidQuery, $"kind must be {ViewMapping.ContactKind} or {ViewMapping.AccountKind}.");
        }
        if (minIcpScore.Value is < 0 or > 100)
        {
            return new Problem(ProblemCodes.InvalidQuery, "min_icp_score must be a whole number from 0 to 100.");
        }
        var filter = new LeadFilter(qualified.Value, icpCode.Value, personaCode.Value, source.Value,
            kind.Value is { } wanted ? wanted == ViewMapping.ContactKind : null, minIcpScore.Value, since.Value, until.Value);
        return TypedResults.Ok(page.ToPage(context, await leads.ListAsync(caller.WorkspaceId, filter, page, cancellationToken)));
    }

    /// <summary>Shows a lead.</summary>
    /// <remarks>The id of a lead that was merged into another one shows that one.</remarks>
    /// <param name="id">`lead_…`</param>
    internal static async Task<Results<Ok<LeadView>, Problem>> GetLead(Caller caller, string id, LeadStore leads, CancellationToken cancellationToken) =>
        Ids.TryParse(Ids.Lead, id, out var leadId) && await leads.FindAsync(caller.WorkspaceId, leadId, cancellationToken) is { } lead
            ? TypedResults.Ok(lead)
            : Problem.NotFound("The lead");

    /// <summary>Explains a lead's scores.</summary>
    /// <remarks>Those of its newest scored signal, criterion by criterion, made again when facts or definitions change.</remarks>
    /// <param name="id">`lead_…`</param>
    internal static async Task<Results<Ok<QualificationView>, Problem>> GetLeadQualification(
        Caller caller, string id, LeadStore leads, CancellationToken cancellationToken)
    {
        if (!Ids.TryParse(Ids.Lead, id, out var leadId))
        {
            return Problem.NotFound("The lead");
        }
        var (exists, compact) = await leads.QualificationAsync(caller.WorkspaceId, leadId, cancellationToken);
        return compact is { } stored ? TypedResults.Ok(QualificationView.Read(stored))
            : Problem.NotFound(exists ? "A scored signal of the lead" : "The lead");
    }
}
