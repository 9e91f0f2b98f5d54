using System.Reflection;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace SignalHub.Http;

/// <summary>A working request body, shown in Swagger UI and sent by its "Try it out".</summary>
public sealed record RequestExample(string Json);

/// <summary>
/// The shape of a body that the handler reads itself. Only described: <c>Accepts</c> would make routing answer 415 before the key is
/// looked at.
/// </summary>
public sealed record DescribedBody(Type Type);

/// <summary>How a route is protected, in the words of the API description: the security schemes that open it.</summary>
public interface IRouteAccess
{
    /// <summary>One sentence on what the key must be.</summary>
    string Describe();

    bool IsOperator { get; }
}

/// <summary>The API description: one document, made from the routes, their XML comments and their metadata.</summary>
public static class OpenApi
{
    public const string DocumentName = "v1";

    private static readonly string _commentsFile = Path.Combine(AppContext.BaseDirectory, "SignalHub.xml");

    private const string Bearer = "bearer";
    private const string ApiKeyHeader = "api_key";
    private const string XApiKeyHeader = "x_api_key";
    private const string Basic = "basic";

    private const string Description = """
        Self-hosted hub for buyer-intent signals: send events, get scored leads and signed webhooks.

        **Keys.** `Authorization: Bearer sk_live_…` (also the headers `api_key` and `X-Api-Key`, or Basic with the key as user).
        Test keys (`sk_test_…`) take signals that change nothing and fire nothing. Scopes: `ingest`, `read`, `manage`.

        **Errors** are `application/problem+json` (RFC 9457) with a stable `code`; `errors` lists each field with a JSON Pointer.

        **Lists** are newest first; `limit` (1–200) and the opaque `cursor` page through them.
        """;

    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services)
    {
        services.AddEndpointsApiExplorer();
        services.AddTransient<ISerializerDataContractResolver>(_ => new JsonSerializerDataContractResolver(Json.Options));
        services.AddSwaggerGen(options =>
        {
            var version = Assembly.GetExecutingAssembly().GetName().Version!.ToString(3);
            options.SwaggerDoc(DocumentName, new OpenApiInfo { Title = "SignalHub", Version = version, Description = Description });
            options.IncludeXmlComments(_commentsFile, includeControllerXmlComments: false);
            options.SupportNonNullableReferenceTypes();
            options.UseAllOfToExtendReferenceSchemas();
            options.CustomSchemaIds(SchemaId);
            options.AddSecurityDefinition(Bearer, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "A workspace key (sk_live_…, sk_test_…) or the operator key (op_…).",
            });
            options.AddSecurityDefinition(ApiKeyHeader, HeaderScheme("api_key"));
            options.AddSecurityDefinition(XApiKeyHeader, HeaderScheme("X-Api-Key"));
            options.AddSecurityDefinition(Basic, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "basic", Description = "The key as user, no password.",
            });
            options.OperationFilter<RouteFilter>();
            options.SchemaFilter<ProblemCodeFilter>();
        });
        return services;
    }

    public static void UseSwaggerPages(this WebApplication app) =>
        // Other requests do not even pass through them.
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/swagger"), pages =>
        {
            pages.UseSwagger();
            pages.UseSwaggerUI(ui =>
            {
                ui.DocumentTitle = "SignalHub API";
                ui.SwaggerEndpoint($"{DocumentName}/swagger.json", "SignalHub v1");
                ui.EnablePersistAuthorization();
                ui.EnableTryItOutByDefault();
                ui.DisplayRequestDuration();
            });
        });

    public static TBuilder WithRequestExample<TBuilder>(this TBuilder builder, string json) where TBuilder : IEndpointConventionBuilder
    {
        builder.WithMetadata(new RequestExample(json));
        return builder;
    }

    private static OpenApiSecurityScheme HeaderScheme(string name) => new()
    {
        Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = name, Description = "A workspace key.",
    };

    /// <summary>Page&lt;LeadView&gt; → LeadPage; View and Body endings are ours, not the reader's.</summary>
    private static string SchemaId(Type type)
    {
        if (type.IsGenericType)
        {
            return SchemaId(type.GetGenericArguments()[0]) + type.Name.Split('`')[0];
        }
        return type.Name.EndsWith("View", StringComparison.Ordinal) ? type.Name[..^"View".Length] : type.Name;
    }

    /// <summary>Security, paging parameters, bodies that are bound by hand, and examples.</summary>
    private sealed class RouteFilter : IOperationFilter
    {
        private static readonly Lazy<XDocument> _comments = new(() => XDocument.Load(_commentsFile));

        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
            AddSecurity(operation, context, metadata.OfType<IRouteAccess>().LastOrDefault());
            BindByHand(operation, context);
            if (metadata.OfType<DescribedBody>().LastOrDefault() is { } body)
            {
                AddBody(operation, "application/json", context.SchemaGenerator.GenerateSchema(body.Type, context.SchemaRepository));
            }
            if (metadata.OfType<RequestExample>().LastOrDefault() is { } example)
            {
                foreach (var content in operation.RequestBody?.Content?.Values ?? [])
                {
                    content.Example = JsonNode.Parse(example.Json);
                }
            }
        }

        private static void AddSecurity(OpenApiOperation operation, OperationFilterContext context, IRouteAccess? access)
        {
            if (access is null)
            {
                return;
            }
            string[] schemes = access.IsOperator ? [Bearer] : [Bearer, ApiKeyHeader, XApiKeyHeader, Basic];
            operation.Security = [.. schemes.Select(s => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(s, context.Document)] = [] })];
            operation.Description = $"{operation.Description}\n\n{access.Describe()}".Trim();
        }

        private static void BindByHand(OpenApiOperation operation, OperationFilterContext context)
        {
            foreach (var parameter in context.MethodInfo.GetParameters())
            {
                var type = parameter.ParameterType;
                if (QueryParameters.IsQuery(type))
                {
                    var kind = type == typeof(QueryFlag) ? JsonSchemaType.Boolean : type == typeof(QueryNumber) ? JsonSchemaType.Integer : JsonSchemaType.String;
                    AddQuery(operation, QueryParameters.NameOf(parameter), kind, CommentOn(context.MethodInfo, parameter.Name!));
                    continue;
                }
                if (type == typeof(PageRequest))
                {
                    AddQuery(operation, "limit", JsonSchemaType.Integer, $"Rows of a page, 1–{PageRequest.MaxLimit}; {PageRequest.DefaultLimit} if absent.");
                    AddQuery(operation, "cursor", JsonSchemaType.String, "next_cursor of the page before.");
                }
                else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Body<>))
                {
                    AddBody(operation, "application/json", context.SchemaGenerator.GenerateSchema(type.GetGenericArguments()[0], context.SchemaRepository));
                }
                else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(OptionalBody<>))
                {
                    AddBody(operation, "application/json", context.SchemaGenerator.GenerateSchema(type.GetGenericArguments()[0], context.SchemaRepository), required: false);
                }
                else if (type == typeof(Patch))
                {
                    AddBody(operation, "application/merge-patch+json", new OpenApiSchema { Type = JsonSchemaType.Object });
                }
                else
                {
                    continue;
                }
                operation.Parameters = [.. (operation.Parameters ?? []).Where(p => p.Name != parameter.Name)];
            }
        }

        /// <summary>What the handler's XML comment says of a parameter that is bound by hand: the explorer does not list those.</summary>
        private static string CommentOn(MethodInfo handler, string parameter)
        {
            var member = XmlCommentsNodeNameHelper.GetMemberNameForMethod(handler);
            var param = _comments.Value.Root?.Element("members")?.Elements("member").FirstOrDefault(m => (string?)m.Attribute("name") == member)?
                .Elements("param").FirstOrDefault(p => (string?)p.Attribute("name") == parameter);
            return param is null ? "" : XmlCommentsTextHelper.Humanize(string.Concat(param.Nodes()));
        }

        private static void AddQuery(OpenApiOperation operation, string name, JsonSchemaType type, string description) =>
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = name, In = ParameterLocation.Query, Description = description, Schema = new OpenApiSchema { Type = type },
            });

        private static void AddBody(OpenApiOperation operation, string contentType, IOpenApiSchema schema, bool required = true) =>
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = required,
                Content = new Dictionary<string, OpenApiMediaType> { [contentType] = new() { Schema = schema } },
            };
    }

    /// <summary>Publishes the list of problem codes.</summary>
    private sealed class ProblemCodeFilter : ISchemaFilter
    {
        public void Apply(IOpenApiSchema schema, SchemaFilterContext context)
        {
            if (context.Type == typeof(ProblemBody) && schema.Properties is { } properties && properties["code"] is OpenApiSchema code)
            {
                code.Enum = [.. ProblemCodes.All.Keys.Order(StringComparer.Ordinal).Select(c => JsonValue.Create(c)!)];
            }
        }
    }
}
