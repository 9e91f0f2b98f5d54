namespace SignalHub.Qualification;

/// <summary>The words behind <see cref="Titles"/>: lower case, no accents, words of a phrase one space apart.</summary>
internal static class TitleTable
{
    public const string Individual = "ic";

    /// <summary>Stands where a comma, slash, ampersand or bracket stood.</summary>
    public const string Break = ",";

    /// <summary>From highest to lowest; the highest in a title wins.</summary>
    public static readonly string[] Ranks = ["founder", "c_level", "vp", "head", "director", "manager", "senior", Individual];

    /// <summary>Every function the table gives.</summary>
    public static readonly string[] Functions =
    [
        "engineering", "product", "design", "data", "it", "security", "sales", "marketing", "customer_success", "support",
        "finance", "legal", "hr", "operations", "research", "education", "healthcare", "executive",
    ];

    public static readonly HashSet<string> Fillers =
        ["na", "n a", "null", "undefined", "none", "unknown", "not available", "test", "tbd", "object object"];

    public static readonly HashSet<string> Towards = ["to", "reporting", "an", "au", "aupres"];

    public static readonly HashSet<string> Helpers =
    [
        "assistant", "assistants", "assistante", "assistent", "assistentin", "assistenz", "asistente", "ea", "pa", "secretary",
        "sekretarin", "sekretar", "secretaria", "student",
    ];

    /// <summary>Join a helper to the one helped: Assistenz der Geschäftsführung.</summary>
    public static readonly HashSet<string> Genitives = ["of", "der", "des", "de", "du", "zur"];

    public static readonly HashSet<string> Beginners =
    [
        "intern", "internship", "trainee", "apprentice", "praktikant", "praktikantin", "werkstudent", "werkstudentin",
        "auszubildende", "auszubildender", "azubi", "stagiaire", "alternant", "alternante", "becario", "becaria",
        "tirocinante", "estagiario",
    ];

    public static readonly Dictionary<string, int> RankPhrases = Index(
        ("founder", "co founder|co founders|founding partner|founder ceo|co grunder|business owner"),
        ("c_level", "managing director|managing partner|general partner|senior partner|board member|of the board|board of directors"
            + "|executive chairman|executive chair|directeur general|directrice generale|director general|directora general"
            + "|diretor geral|direttore generale|amministratore delegato|consejero delegado|president directeur general"
            + "|general counsel"),
        ("vp", "vice president|vice presidente|vice prasident"),
        ("head", "chief of staff|abteilungs leiter"),
        ("director", "vice principal|creative director|art director"),
        ("senior", "chief engineer|chief architect|chief accountant|chief editor"),
        ("manager", "chef de|chef d|jefe de|jefa de|team lead|team leader|team leiter|group lead|squad lead|group leader|shift lead"
            + "|capo ufficio"),
        ("ic", "account executive|account executives|sales executive|product owner|process owner|marketing executive"
            + "|business development executive|scrum master|founders associate|staff accountant|staff nurse|staff writer"));

    public static readonly Dictionary<string, int> RankWords = Index(
        ("founder", "founder|founders|cofounder|grunder|grunderin|mitgrunder|mitgrunderin|inhaber|inhaberin|fondateur|fondatrice"
            + "|cofondateur|cofondatrice|fundador|fundadora|cofundador|cofundadora|fondatore|fondatrice|oprichter|entrepreneur"
            + "|proprietor|proprietaire"),
        ("c_level", "ceo|cto|cfo|coo|cmo|cro|cio|ciso|cso|cpo|chro|cdo|cco|clo|cao|cxo|cgo|cko|cbo|cpto|caio|cdao|chairman|chairwoman"
            + "|chairperson|chair|geschaftsfuhrer|geschaftsfuhrerin|geschaftsfuhrung|geschaftsfuhrender|vorstand"
            + "|vorstandsvorsitzender|pdg|dg|gerant|gerante|dsi"),
        ("vp", "vp|svp|evp|avp|rvp|gvp|sevp|vps|vicepresident|vicepresidente|vizeprasident|vizeprasidentin"),
        ("head", "head|leiter|leiterin|leitung|hoofd|dean"),
        ("director", "director|directors|directora|dir|direktor|direktorin|directeur|directrice|direttore|direttrice|diretor|diretora"
            + "|drh|daf|prokurist|prokuristin"),
        ("manager", "manager|managers|mgr|mngr|supervisor|teamleiter|teamleiterin|teamleitung|gruppenleiter|gruppenleiterin"
            + "|projektleiter|projektleiterin|projektleitung|schichtleiter|responsable|responsabile|gerente|jefe|jefa"
            + "|superintendent|foreman|coordinador|teamlead|administrador"),
        ("senior", "senior|sr|snr|staff|principal|distinguished|fellow|expert|advanced|architect"),
        ("ic", "engineer|developer|dev|programmer|analyst|consultant|specialist|associate|representative|rep|coordinator"
            + "|executive|accountant|nurse|designer|scientist|administrator|admin|recruiter|writer|researcher|technician|agent"
            + "|advisor|adviser|clerk|teacher|strategist|planner|buyer|attorney|lawyer|counsel|sdr|bdr|ae|csm|operator|editor"
            + "|copywriter|journalist|professor|lecturer|physician|doctor|pharmacist|bookkeeper|auditor|trader|broker"
            + "|photographer|translator|tester|junior|jr|freelancer|freelance|contractor|entwickler|entwicklerin|berater"
            + "|beraterin|sachbearbeiter|sachbearbeiterin|referent|referentin|ingenieur|ingenieurin|ingeniero|ingeniera"
            + "|desarrollador|desarrolladora|developpeur|developpeuse|consultante|analyste|analista|mitarbeiter|mitarbeiterin"
            + "|verkaufer|verkauferin|vendedor|vendedora|comptable|contable|buchhalter|buchhalterin|technicien|tecnico|abogado"
            + "|abogada|avocat|avocate|comercial|member|employee"));

    public static readonly Dictionary<string, string> FunctionPhrases = Map(
        ("marketing", "product marketing|marketing operations|marketing ops|growth marketing|demand generation|demand gen"
            + "|public relations|brand design manager|content design manager|social media|community manager"
            + "|corporate communications|marketing engineer"),
        ("sales", "sales engineer|sales engineering|solutions engineer|solution engineer|solutions engineering|solutions consultant"
            + "|solution consultant|presales engineer|pre sales|business development|biz dev|account executive"
            + "|account executives|account manager|key account|account director|sales operations|sales ops|revenue operations"
            + "|revenue ops|partner manager|channel manager|inside sales|go to market|desarrollo de negocio|chief commercial"
            + "|chief revenue|chief growth"),
        ("customer_success", "customer success|client success|customer experience|customer onboarding|client services|client partner"
            + "|chief customer"),
        ("support", "customer support|technical support|support engineer|customer service|customer care|help desk|service desk"
            + "|support specialist|product support"),
        ("hr", "human resources|people operations|people ops|talent acquisition|people partner|chief people|chief human"
            + "|recursos humanos|ressources humaines|risorse umane|hr business|human capital|employee experience"),
        ("data", "data engineer|data engineering|data science|data scientist|data analyst|data architect|business intelligence"
            + "|machine learning|data platform|data product|chief data|chief analytics|chief ai|artificial intelligence"
            + "|ml engineer|ai engineer|data analytics"),
        ("design", "product design|product designer|ux designer|ui designer|user experience|ux research|ux researcher"
            + "|creative director|art director|design engineer"),
        ("security", "information security|cyber security|security engineer|security engineering|chief security|application security"
            + "|chief information security|it security|security architect"),
        ("it", "information technology|information systems|chief information|it manager|it director|systems administrator"
            + "|system administrator|network engineer|systems engineer it|business systems|it operations|it support"
            + "|chief digital|head of it"),
        ("engineering", "software engineer|software engineering|software developer|product engineer|product engineering|chief technology"
            + "|chief technical|platform engineering|tech lead|technical lead|technical director|site reliability"
            + "|quality assurance|software architect|solutions architect|solution architect|enterprise architect|vp technology"
            + "|technology officer|production engineer|direction technique|directeur technique|director tecnico"
            + "|engineering operations|research engineer|design verification"),
        ("product", "product manager|product management|product owner|chief product|product lead|product operations|product ops"
            + "|technical product"),
        ("finance", "chief financial|financial planning|investor relations|accounts payable|accounts receivable|chief accounting"
            + "|investment banking|private equity|venture capital|directeur financier|director financiero"),
        ("legal", "general counsel|chief legal|legal counsel|legal operations|data protection|chief compliance"),
        ("operations", "chief operating|project manager|program manager|programme manager|project management|program management"
            + "|supply chain|business operations|chief of|office manager|business analyst|chief administrative|scrum master"
            + "|chef de projet|jefe de proyecto|project coordinator|chief strategy|agile coach"),
        ("executive", "general manager|managing director|managing partner|chief executive|board member|country manager"
            + "|directeur general|directrice generale|director general|directora general|amministratore delegato"
            + "|consejero delegado"),
        ("research", "r , d|chief scientific|chief science|research scientist"),
        ("healthcare", "chief medical|medical director|registered nurse"));

    public static readonly Dictionary<string, string> Trades = Map(
        ("engineering", "engineer|engineers|developer|developers|programmer|entwickler|entwicklerin|softwareentwickler"
            + "|softwareentwicklerin|ingenieur|ingenieurin|ingeniero|ingeniera|desarrollador|desarrolladora|developpeur"
            + "|developpeuse|sre|devops|cto|cpto|sdet"),
        ("design", "designer|designers|illustrator|disenador|disenadora|graphiste"),
        ("hr", "recruiter|recruiters|sourcer|chro|drh"),
        ("finance", "accountant|bookkeeper|controller|comptroller|cfo|auditor|treasurer|comptable|contable|buchhalter|buchhalterin"
            + "|controllerin|daf|actuary|banker"),
        ("legal", "lawyer|attorney|counsel|paralegal|solicitor|avocat|avocate|abogado|abogada|rechtsanwalt|rechtsanwaltin|jurist"
            + "|juristin|clo|notary"),
        ("marketing", "cmo|copywriter|marketer"),
        ("sales", "cro|sdr|bdr|ae|cco|salesperson|seller|vertriebler|vendedor|vendedora|verkaufer|verkauferin|cgo"),
        ("customer_success", "csm|cxo"),
        ("operations", "coo|cao"),
        ("it", "cio|sysadmin|dsi"),
        ("security", "ciso"),
        ("product", "cpo|pm|apm"),
        ("data", "cdo|cdao|caio|statistician"),
        ("healthcare", "nurse|physician|doctor|surgeon|pharmacist|dentist|therapist"),
        ("education", "teacher|professor|lecturer|tutor"));

    public static readonly Dictionary<string, string> Departments = Map(
        ("engineering", "engineering|eng|development|software|technology|tech|technical|platform|infrastructure|backend|frontend"
            + "|fullstack|qa|architecture|architect|entwicklung|technik|ingenieria|ingenierie|tecnologia|technologie|technique"
            + "|tecnico|mobile|cloud|robotics|firmware|hardware|embedded|web"),
        ("product", "product|products|produkt|produit|producto|produkte|produto|prodotto"),
        ("design", "design|ux|ui|creative|diseno"),
        ("data", "data|analytics|ai|ml|bi|insights|datos|donnees|daten"),
        ("security", "security|cybersecurity|infosec|seguridad|securite"),
        ("it", "it|systems|informatik|informatique|informatica|edv|sistemas"),
        ("sales", "sales|revenue|revops|commercial|partnerships|partnership|alliances|channel|vertrieb|verkauf|ventas|vente|ventes"
            + "|vendas|vendite|comercial|presales|partners|ecommerce|gtm"),
        ("marketing", "marketing|growth|brand|branding|content|seo|sem|ppc|communications|communication|kommunikation|comunicacion|pr"
            + "|media|advertising|events|mercadeo|acquisition|crm"),
        ("customer_success", "success|customer|customers|client|clients|cx|onboarding|renewals|implementation"),
        ("support", "support|helpdesk|soporte|kundenservice|kundendienst|service"),
        ("finance", "finance|financial|accounting|tax|treasury|payroll|fpa|audit|finanzen|finanzas|finances|buchhaltung"
            + "|rechnungswesen|contabilidad|comptabilite|investment|investments|controlling|billing|risk|finanze|financeiro|fp"),
        ("legal", "legal|compliance|privacy|recht|juridique|contracts|regulatory"),
        ("hr", "hr|people|talent|recruiting|recruitment|personal|personnel|rh|rrhh|culture|learning|payroll|compensation"
            + "|diversity|onderwijs"),
        ("operations", "operations|ops|operational|logistics|procurement|purchasing|manufacturing|production|supply|warehouse|facilities"
            + "|quality|einkauf|logistik|produktion|operaciones|operation|strategy|strategic|transformation|project|projects"
            + "|program|programs|pmo|administration|administrative|fulfillment|agile|scrum|safety|construction"),
        ("research", "research|science|scientist|scientific|innovation|forschung|recherche|laboratory|lab|rd"),
        ("healthcare", "medical|clinical|health|healthcare|nursing|pharmacy"),
        ("education", "education|academic|teaching|training|curriculum|school"));

    public static readonly Dictionary<string, string> Executives = Map(
        ("executive", "ceo|president|presidente|prasident|md|gm|owner|founder|cofounder|chairman|chairwoman|chairperson|chair"
            + "|geschaftsfuhrer|geschaftsfuhrerin|geschaftsfuhrung|vorstand|vorstandsvorsitzender|pdg|dg|gerant|gerante|grunder"
            + "|grunderin|inhaber|inhaberin|fondateur|fondatrice|fundador|fundadora|cofondateur|cofondatrice"));

    public static readonly (string Stem, string Function)[] Stems =
    [
        ("vertrieb", "sales"), ("verkauf", "sales"), ("entwicklung", "engineering"), ("software", "engineering"), ("technik", "engineering"),
        ("marketing", "marketing"),
        ("personal", "hr"), ("finanz", "finance"), ("produktion", "operations"), ("produkt", "product"), ("einkauf", "operations"),
        ("projekt", "operations"),
        ("rechts", "legal"), ("logistik", "operations"), ("kunden", "customer_success"), ("betrieb", "operations"), ("forschung", "research"),
        ("daten", "data"),
    ];

    public static int Rank(string name) => Array.IndexOf(Ranks, name);

    private static Dictionary<string, int> Index(params (string Rank, string Words)[] rows)
    {
        var table = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (rank, words) in rows)
        {
            foreach (var word in words.Split('|'))
            {
                table.TryAdd(word, Array.IndexOf(Ranks, rank));
            }
        }
        return table;
    }

    private static Dictionary<string, string> Map(params (string Function, string Words)[] rows)
    {
        var table = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (function, words) in rows)
        {
            foreach (var word in words.Split('|'))
            {
                table.TryAdd(word, function);
            }
        }
        return table;
    }
}
