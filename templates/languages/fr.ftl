### Chaque phrase des pages et des courriels, en français. Le sens des variables est expliqué dans en.ftl. On vouvoie ;
### « digest » se dit la lettre, « post » article, « edition » numéro. L'espace devant : ; ? est insécable.

## La langue elle-même

language-name = Français
decimal-mark = ,

## Nombres et quantités

number = { $count ->
    [1] un
    [2] deux
    [3] trois
    [4] quatre
    [5] cinq
    [6] six
    [7] sept
    [8] huit
    [9] neuf
    [10] dix
    [11] onze
    [12] douze
   *[other] { $count }
  }
number-alone = { number }
posts = { $count ->
    [0] aucun article
    [one] { number } article
   *[other] { number } articles
  }
posts-digits = { $count ->
    [one] { $count } article
   *[other] { $count } articles
  }
periods = { $per ->
    [week] { $periods ->
        [one] { $periods } semaine
       *[other] { $periods } semaines
      }
    [quarter] { $periods ->
        [one] { $periods } trimestre
       *[other] { $periods } trimestres
      }
    [year] { $periods ->
        [one] { $periods } an
       *[other] { $periods } ans
      }
   *[month] { $periods } mois
  }
in-periods = en { periods }
a-per = { $per ->
    [week] par semaine
    [quarter] par trimestre
    [year] par an
   *[month] par mois
  }
this-per = { $per ->
    [week] Cette semaine
    [quarter] Ce trimestre
    [year] Cette année
   *[month] Ce mois-ci
  }
list-and = { $first } et { $last }

## Le calendrier

month = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
  }
month-short = { $month ->
    [1] janv.
    [2] févr.
    [3] mars
    [4] avr.
    [5] mai
    [6] juin
    [7] juil.
    [8] août
    [9] sept.
    [10] oct.
    [11] nov.
   *[12] déc.
  }
day = { $day ->
    [1] 1er
   *[other] { $day }
  } { month } { $year }
period = { $per ->
    [week] semaine { $week } de { $year }
    [quarter] { $quarter ->
        [1] premier trimestre { $year }
        [2] deuxième trimestre { $year }
        [3] troisième trimestre { $year }
       *[4] quatrième trimestre { $year }
      }
    [year] { $year }
   *[month] { month } { $year }
  }
period-short = { $per ->
    [week] S{ $week }
    [quarter] T{ $quarter }
    [year] { $year }
   *[month] { month-short }
  }

## L'objectif

goal-heading = L’objectif
goal-name = Objectif
goal-aim = { $name } : { posts } { a-per }.
goal-none = Aucun article pour l’instant.
goal-begins = Il commence avec { period }.
goal-standing = { posts-digits } { in-periods } – { $standing ->
    [ahead] { $by } d’avance
    [behind] { $by } de retard
   *[pace] dans les temps
  }.
goal-paused = { this-per }, c’est la pause.
goal-met = { this-per }, l’objectif est atteint : { posts-digits }.
goal-open = { this-per } : { $days ->
    [0] c’est le dernier jour
    [1] c’est le dernier jour
   *[other] il reste { $days } jours
  }, { $published ->
    [0] aucun article pour l’instant
   *[other] { $published } sur { $goal } pour l’instant
  }{ $planned ->
    [0] { "" }
    [one] , { $planned } prévu
   *[other] , { $planned } prévus
  }.
state = { $state ->
    [met] atteint
    [missed] manqué
    [paused] pause
   *[open] en cours
  }
fact-published = publiés
    .value = { $published } sur { $target }
fact-met = objectif atteint
    .value = { $met } sur { periods }
fact-streak = d’affilée
    .value = { periods }, record { $longest }
fact-gap = plus longue absence
fact-average = moyenne
    .value = { $average } { a-per }
fact-forecast = prévision
    .value = { $forecast } cette année
fact-due = prochaine échéance
goal-table = Période par période, la plus récente d’abord
goal-column-period = Période
goal-column-posts = Articles
goal-column-goal = Objectif
goal-column-state = État
goal-unset = Aucun objectif n’a été fixé.
goal-data = Sous forme de données :
goal-data-chart = graphique
goal-data-badge = badge
goal-data-calendar = calendrier
chart-title = Articles { a-per } par rapport à l’objectif
chart-title-named = { $name } : articles { a-per } par rapport à l’objectif
chart-period = { $period } : { posts-digits }, { state }
chart-goal = objectif : { $count } { a-per }
chart-empty = Rien à compter pour l’instant
# La page de l’objectif.
history-title = Tous les articles { a-per }
curve-title = Publié et promis, au total
curve-published = publié
curve-target = promis
goal-grid = Année par année
goal-grid-caption = Une case par période, avec ses articles derrière
goal-grid-year = Année
goal-authors = Qui écrit
goal-share = { posts-digits }, { $percent } %
goal-more = et { $count ->
    [one] un autre
   *[other] { $count } autres
  }
goal-next = La suite
goal-due = Le prochain article est attendu pour le { $date }.
goal-scheduled = Prévu
goal-drafts = En préparation
draft-facts = { $words ->
    [one] un mot
   *[other] { $words } mots
  }, { $days ->
    [0] modifié aujourd’hui
    [one] depuis un jour
   *[other] depuis { $days } jours
  }
goal-late = publié en retard
goal-all = Les dernières périodes en tableau
goal-nothing = Rien n’a été publié.
goal-earlier = Avant : { $period }
goal-later = Après : { $period }
goal-whole = L’objectif entier

## Toutes les pages

page-skip = Aller au texte
page-nav = Pages
page-blog = Blog
page-subscribe = S’abonner
page-editions-feed = { $title } : numéros
home-latest = Derniers articles
home-none = Aucun article pour l’instant.
feeds-heading = Flux
feeds-lead = Un lecteur de flux affiche les nouveaux articles dès leur parution. Copiez-y l’une de ces adresses : pas de compte, et personne ne sait qui lit.
feed-page-lead = Copiez l’une de ces adresses dans un lecteur de flux, et les nouveaux articles viendront à vous.
feed-page-posts = Articles
feeds-all = Tous les flux
feeds-mail = La lettre par courriel
feeds-opml = Tous dans un seul fichier (OPML)
feed-banner = Ceci est un flux. Copiez son adresse depuis la barre d’adresse dans un lecteur de flux, et les nouveaux articles viendront à vous.
# $kind: which kind of feeds follow.
feeds-group = { $kind ->
    [tag] Mots-clés
    [author] Auteurs
    [category] Catégories
    [section] Rubriques
    [language] Langues
    [extra] Autres
   *[all] Le blog
  }
home-feeds = Ou dans un lecteur de flux :
home-feeds-only = Dans un lecteur de flux :
home-feeds-all = Chaque sujet et chaque auteur a aussi son flux
home-goal-more = En savoir plus sur l’objectif
editions-heading = Numéros
editions-none = La première lettre n’est pas encore partie.

## S'abonner

subscribe-heading = S’abonner
subscribe-promise = Un courriel par mois avec ce qui a été publié, et rien d’autre. Un clic suffit pour se désabonner.
subscribe-next = Nous vous envoyons un courriel avec un lien. Votre abonnement ne commence que lorsque vous l’avez suivi.
subscribe-email = Votre adresse électronique
subscribe-button = S’abonner
subscribe-trap = Merci de laisser ce champ vide
address-empty = Veuillez saisir votre adresse électronique.
address-control = Cette adresse contient un caractère qui ne peut pas être tapé. Veuillez la saisir à nouveau.
address-no-at = Il manque le @ dans cette adresse. Elle devrait ressembler à nom@example.org.
address-long-local = La partie avant le @ dépasse 64 caractères, ce qu’aucun serveur n’accepte.
address-long = Cette adresse dépasse 254 caractères, ce qu’aucun serveur n’accepte.
address-syntax = Ce n’est pas une adresse électronique. Elle devrait ressembler à nom@example.org.
address-foreign-local = La partie avant le @ contient des lettres que la plupart des serveurs n’acceptent pas.
address-no-dot = Il manque un point dans la partie après le @. Elle devrait ressembler à example.org.
address-domain = La partie après le @ n’est pas un nom de domaine. Elle devrait ressembler à example.org.

## Quand c'est fait

said-look-into-mailbox = Regardez dans votre boîte
    .text = Si nous pouvons écrire à cette adresse, un courriel est en route. Suivez le lien qu’il contient dans les trois jours. Si rien n’arrive, il est peut-être parmi les indésirables.
said-confirmed = Votre abonnement est confirmé
    .text = La prochaine lettre arrivera dans votre boîte.
said-unsubscribed = C’est noté
    .text = Vous ne recevrez plus de lettre. Merci de les avoir lues.
said-saved = Enregistré
    .text = Désormais, vous recevrez ce que vous avez choisi.
said-data-sent = Un courriel est en route
    .text = Il vous apporte tout ce que nous conservons à votre sujet, dans un fichier.
said-erased = Tout est effacé
    .text = Ce que nous conservions à votre sujet a disparu. Il ne reste qu’un code calculé à partir de votre adresse, qui ne permet pas de la retrouver : il empêche qu’une ancienne liste vous réinscrive.
said-address-mail-sent = Regardez dans votre nouvelle boîte
    .text = Si nous pouvons écrire à cette adresse, un courriel avec un lien est en route. Tant que vous ne l’avez pas suivi, les lettres vont à l’ancienne adresse.
said-address-moved = Votre adresse est changée
    .text = Désormais, les lettres arriveront à la nouvelle.
said-address-taken = Cette adresse reçoit déjà la lettre
    .text = Elle a son propre abonnement, et rien n’a changé. Pour ne plus rien recevoir à l’ancienne adresse, suivez le lien de désabonnement au bas d’une lettre reçue là-bas.
said-link-sent = Regardez dans votre boîte
    .text = Un courriel avec un nouveau lien est en route.

## Avant d'agir

ask-confirm = S’abonner à { $title } ?
    .text = Encore un clic, et la prochaine lettre viendra à vous.
    .button = Oui, m’abonner
ask-move-address = Utiliser désormais cette adresse ?
    .text = Les lettres arriveront à l’adresse qui a reçu ce lien, et non plus à l’ancienne.
    .button = Utiliser cette adresse
ask-unsubscribe = Se désabonner
    .text = Vous ne recevrez plus de lettre.
    .button = Me désabonner
ask-new-link = Ce lien est trop ancien
    .text = Un lien vers vos choix est valable 30 jours. Nous pouvons vous en envoyer un nouveau.
    .button = Recevoir un nouveau lien

## Ce que chacun choisit

preferences-heading = Ce que vous recevez
preferences-for = Pour { $address }
preferences-inactive = Votre abonnement est arrêté en ce moment : rien ne vous est envoyé.
preferences-again = S’abonner à nouveau
preferences-frequency = À quel rythme
preferences-monthly = Une fois par mois
preferences-quarterly = Une fois par trimestre
preferences-post = Chaque article séparément, dès sa parution
preferences-tags = Sujets
preferences-authors = Auteurs
preferences-all = Si vous ne cochez rien, vous recevez tout.
preferences-pause = Pause jusqu’à
preferences-no-pause = Pas de pause
preferences-language = Langue
preferences-save = Enregistrer
preferences-address = Changer d’adresse
    .text = Nous envoyons un lien à la nouvelle adresse. Elle compte dès que vous l’avez suivi.
preferences-new-address = Nouvelle adresse électronique
preferences-address-button = Envoyer le lien
preferences-data = Vos données
    .text = Tout ce que nous conservons à votre sujet, dans un fichier, par courriel.
preferences-data-button = M’envoyer mes données
preferences-leave = Se désabonner
    .text = Plus aucune lettre, dès maintenant.
preferences-leave-button = Me désabonner
preferences-erase = Tout effacer
    .text = Votre abonnement prend fin et tout ce que nous conservons à votre sujet est effacé. C’est sans retour.
preferences-sure = Oui, effacez tout ce que vous conservez à mon sujet
preferences-erase-button = Tout effacer

## Quand il n'y a pas de réponse

refused-not-found = Introuvable
    .text = Il n’y a rien à cette adresse. La page a peut-être déménagé, ou n’a jamais existé.
refused-gone = Retiré
    .text = L’article qui se trouvait à cette adresse a été retiré par ses auteurs. Les autres sont toujours là.
refused-no-goal = Pas encore d’objectif
    .text = Ce blog ne s’est pas fixé d’objectif ; il n’y a donc rien à montrer ici.
refused-link = Ce lien ne fonctionne pas
    .text = Il n’est pas valable, ou ne l’est plus. Les messageries coupent parfois les longs liens : essayez avec le lien entier de votre dernière lettre.
refused-body = Nous n’avons pas compris
    .text = Rien n’a été modifié. Veuillez suivre à nouveau le lien de votre courriel et utiliser le bouton de la page.
refused-method = Ce n’est pas possible ici
    .text = Cette adresse se lit, et c’est tout.
refused-too-large = Trop grand
    .text = C’est plus qu’il n’en faut ici. Rien n’a été modifié.
refused-starting = Un instant
    .text = Le blog est en train d’être lu pour la première fois. Veuillez réessayer dans un moment.
refused-not-now = Pas maintenant
    .text = Cela n’a pas marché, mais c’est passager. Veuillez réessayer dans une minute.
refused-broken = Quelque chose s’est cassé
    .text = C’est notre erreur, et elle est notée. Veuillez réessayer plus tard.
refused-unsupported-media = Nous n’avons pas compris
    .text = L’envoi avait une forme que nous ne savons pas lire. Rien n’a été modifié.
refused-too-many = Trop souvent
    .text = Il y a eu trop de tentatives, et rien n’a été fait cette fois. Veuillez réessayer dans une heure.

## Courriels autour d'un abonnement

notice-confirm = Veuillez confirmer : { $title }
    .heading = Souhaitez-vous recevoir la lettre ?
    .text = Quelqu’un, vous-même nous l’espérons, a donné cette adresse pour recevoir la lettre de { $title } par courriel.
    .button = Oui, m’abonner
    .after = Le lien est valable trois jours. Si ce n’était pas vous, ne faites rien : vous n’en entendrez plus parler, et rien ne vous sera envoyé.
notice-move-address = Votre nouvelle adresse pour { $title }
    .heading = Est-ce votre nouvelle adresse ?
    .text = Une personne abonnée à { $title } souhaite recevoir désormais la lettre à cette adresse.
    .button = Oui, utiliser cette adresse
    .after = Le lien est valable trois jours. Si ce n’était pas vous, ne faites rien : rien ne change, et rien ne vous sera envoyé.
notice-already = Vous recevez déjà { $title }
    .heading = Vous recevez déjà la lettre
    .text = Quelqu’un, vous-même sans doute, a voulu abonner cette adresse à { $title }. L’abonnement existe déjà, et rien n’a changé.
    .button = Choisir ce que vous recevez
    .after = Si ce n’était pas vous, vous n’avez rien à faire.
notice-link = Votre lien pour { $title }
    .heading = Votre nouveau lien
    .text = Vous pouvez y choisir ce que { $title } vous envoie, ou vous désabonner.
    .button = Choisir ce que vous recevez
    .after = Le lien est valable 30 jours, pour toute personne qui le possède : merci de ne pas transmettre ce courriel.
notice-data = Vos données chez { $title }
    .heading = Vos données
    .text = Le fichier joint à ce courriel contient tout ce que { $title } conserve à votre sujet.
    .button = Choisir ce que vous recevez
    .after = Vous l’avez demandé sur la page de vos choix. Vous pouvez aussi y faire tout effacer.
notice-footer = Ce courriel n’est envoyé qu’une fois, parce qu’il a été demandé chez { $title }.

## La lettre

digest-hello = Bonjour{ $name },
digest-summary = { $period } : { posts }.
digest-summary-late = { $period } : { posts }, et { $late } d’avant.
digest-summary-missed = { posts } qui vous { $count ->
    [one] a
   *[other] ont
  } peut-être échappé.
digest-summary-none = { $period } : aucun nouvel article.
digest-summary-post = Un nouvel article sur { $title }.
digest-summary-welcome = Votre abonnement est confirmé.
digest-intro = voici ce qui a été publié.
digest-intro-late = rien de nouveau cette fois, mais voici ce qui vous a peut-être échappé.
digest-intro-none = cette fois, tout est resté calme : aucun nouvel article. Le prochain vous trouvera ici.
digest-intro-post = ceci vient de paraître.
digest-subject = { $more ->
    [0] { $lead } : { $title }, { $month }
   *[other] { $lead }, et { $more } de plus : { $title }, { $month }
  }
digest-subject-none = { $title } : { $month }
digest-post-subject = { $post } ({ $title })
digest-welcome-subject = Bienvenue chez { $title }
digest-welcome = bienvenue, et merci pour votre abonnement à { $title }. Pour que vous n’ayez pas à attendre la prochaine lettre, voici la dernière.
digest-welcome-none = bienvenue, et merci pour votre abonnement à { $title }. Dès qu’il y aura du nouveau à lire, vous le recevrez ici.
digest-minutes = { $minutes } min
digest-late = Également parus
digest-corrected = Corrigés depuis
digest-withdrawn = retiré
digest-more = Et { $count } de plus
digest-legend = La ligne pointillée est l’objectif.
digest-goal-link = Où en est l’objectif
digest-drafts = En préparation
digest-forwarded = On vous a transmis cette lettre ?
digest-forwarded-link = Recevoir la prochaine
digest-why = Vous recevez cette lettre parce que vous avez choisi de lire { $title } par courriel.
digest-selection = Vous n’avez choisi que certains sujets ou auteurs : il a pu paraître autre chose.
digest-web = Lire sur le web
digest-archive = Lettres précédentes
digest-preferences = Choisir ce que vous recevez
digest-unsubscribe = Se désabonner
digest-read = Lire l’article en entier
digest-text-more = Et { $count } de plus : { $url }
digest-text-read = Lire l’article en entier : { $url }
digest-text-forwarded = On vous l’a transmise ? Pour recevoir la prochaine : { $url }
digest-text-blog = Blog : { $url }
digest-text-web = Cette lettre sur le web : { $url }
digest-text-archive = Lettres précédentes : { $url }
digest-text-preferences = Ce que vous recevez : { $url }
digest-text-unsubscribe = Se désabonner : { $url }

## Quand le contrôle avant l’envoi retient une lettre : courriel à la rédaction

preflight-letter = La lettre n’est pas partie : { $title }, { $edition }
    .heading = Retenue : { $edition }
    .text = Le contrôle avant l’envoi a trouvé quelque chose qui ne doit pas partir ; rien n’a donc été envoyé. Un nouvel essai suivra dès que ce sera corrigé ; `gazetted digest open --despite-findings` l’envoie malgré tout.
    .red = À corriger
    .amber = À améliorer
    .because = Vous recevez ce courriel parce que vous faites partie de la rédaction de { $title }.

## Lettres à la rédaction

nudge-left = { $days ->
    [0] dernier jour aujourd’hui
    [1] dernier jour aujourd’hui
   *[other] encore { $days } jours
  }
nudge-subject = { $title } : { nudge-left }, il manque { posts } pour { $period }
nudge-subject-named = { $title }, { $name } : { nudge-left }, il manque { posts } pour { $period }
nudge-nearest = Au plus près d’être prêt
nudge-no-draft = Aucun brouillon n’est en préparation.
nudge-button = Où en est l’objectif
editors-because = Vous recevez ce message parce que vous faites partie de la rédaction de { $title } ; ce qui est envoyé, et quand, est réglé sous [nudge] dans sa configuration.
closed-subject = { $title } : comment { $period } s’est terminé
closed-posts = Publié
closed-subscribers = Abonnements
closed-subscribers-text = { $active } { $active ->
    [one] abonnement
   *[other] abonnements
  } : { $joined } de plus et { $left } de moins pendant le mois.

# What editors are asked when an edition waits for their word. $subject: the digest's own; $period: `Mai 2021`.
approval-subject = [Aperçu] { $subject }
approval-heading = Un aperçu, pour la rédaction seulement
approval-text = Voici la lettre ({ $period }) telle qu’elle partirait maintenant. Personne ne la reçoit avant que l’un de vous ne la valide.
approval-button = La regarder et la valider
approval-reminder = La lettre ({ $period }) attend toujours
approval-reminder-text = Elle attend depuis trois jours. Personne ne la reçoit avant que l’un de vous ne la valide.
approval-because = Vous recevez ce message parce que vous faites partie de la rédaction de cette lettre.
